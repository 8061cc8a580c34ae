#!/usr/bin/env node
/**
 * Stands in for PowerShell where none is installed: speaks what node-powershell writes to standard input, knows the one
 * line that Onward sends, and lets the sandbox do the script's work on the simulated host ONWARD_SANDBOX_HOST.
 */
import { Buffer } from 'node:buffer';
import { writeSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { setInterval } from 'node:timers';

const ECHO = /^\[Console\]::(Out|Error)\.WriteLine\("(\w*)"\)$/;
/** What scripts say where they meet a fault. */
const REFUSALS = {
  fault: { ok: false, kind: 'Rejected', message: 'Access is denied.' },
  foreignModules: {
    ok: false,
    kind: 'UnexpectedState',
    message: 'PowerShell 5.1 knows no Get-Acl, Set-Acl; its PSModulePath is C:\\Program Files\\PowerShell\\7\\Modules',
  },
};
const RUN = /^& \(\[ScriptBlock\]::Create\(.*\)\) '([A-Za-z0-9+/=]+)'$/;

// Ctrl-C in a terminal reaches the worker and this process alike. What becomes of the script is for the worker to say.
process.on('SIGINT', () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const [, stream, text] = ECHO.exec(line) ?? [];
  const [, order] = RUN.exec(line) ?? [];
  if (text !== undefined) print(stream === 'Out' ? 1 : 2, `${text}\n`);
  else if (order !== undefined) await run(JSON.parse(Buffer.from(order, 'base64').toString('utf8')));
  else if (line !== '') print(2, `The stand-in for PowerShell does not know this command: ${line}\n`);
}

async function run({ nonce, script, parameters }) {
  const { act, delayMs } = await ask(`scripts/${script}/begin`, {});
  let outcome = REFUSALS[act];
  switch (act) {
    case 'hang':
      return new Promise(() => setInterval(() => undefined, 60_000));
    case 'exitsSilently':
      return process.exit(0);
    case 'diesBySignal':
      return die();
    case 'stderrNoise':
      print(2, 'WARNING: this text on standard error is harmless.\n');
      break;
    case 'floodsOutput':
      for (let line = 0; line < 10 * 1024; line += 1) print(1, `${'noise '.repeat(170)}\n`);
      break;
    case 'wrongEncoding':
      print(1, Buffer.from('Příliš žluťoučký kůň\r\n', 'utf16le'));
      print(1, Buffer.from([0x80, 0xff, 0xfe, 0x0a]));
      break;
    case 'slow':
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      break;
  }
  outcome ??= await ask(`scripts/${script}`, parameters);
  if (outcome.died) return die();
  if (act === 'effectThenNoAnswer') return process.exit(0);
  const { ok, value, kind, message } = outcome;
  const envelope = ok ? { ok, result: value, log: '' } : { ok, kind, message, log: '' };
  print(1, `\n#onward:${nonce}:${Buffer.from(JSON.stringify(envelope)).toString('base64')}\n`);
  process.exit(ok ? 0 : 1);
}

/** Without a deadline: whoever started this process has one. */
async function ask(path, body) {
  const url = new URL(path, process.env.ONWARD_SANDBOX_HOST);
  const answer = await new Promise((resolve, reject) => {
    const post = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } }, resolve);
    post.on('error', reject);
    post.end(JSON.stringify(body));
  }).catch((error) => giveUp(`The sandbox does not answer at ${url}: ${error.message}`));
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) text += piece;
  if (answer.statusCode !== 200) giveUp(`The sandbox answered ${answer.statusCode} at ${url}: ${text}`);
  return JSON.parse(text);
}

function giveUp(problem) {
  print(2, `${problem}\n`);
  process.exit(1);
}

function die() {
  process.kill(process.pid, 'SIGKILL');
}

/** Written at once, also right before the end of the process. */
function print(descriptor, text) {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (error.code === 'EPIPE') return; // Nobody listens any more.
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}
