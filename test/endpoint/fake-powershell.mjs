#!/usr/bin/env node
/** Stands in for PowerShell and does what FAKE names: everything that node-powershell would take for success, and worse. */
import { Buffer } from 'node:buffer';
import { spawn } from 'node:child_process';
import { writeFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setInterval } from 'node:timers';

for await (const line of createInterface({ input: process.stdin })) {
  const [, stream, mark] = /^\[Console\]::(Out|Error)\.WriteLine\("(\w+)"\)$/.exec(line) ?? [];
  if (mark !== undefined) writeSync(stream === 'Out' ? 1 : 2, `${mark}\n`);
  const [, order] = / '([A-Za-z0-9+/=]+)'$/.exec(line) ?? [];
  if (order === undefined) continue;
  const { nonce } = JSON.parse(Buffer.from(order, 'base64').toString('utf8'));
  const answer = Buffer.from(
    '{"ok":true,"result":{"connection":"made","status":401,"untrusted":"","problem":""},"log":""}',
  ).toString('base64');
  const envelope = `\n#onward:${nonce}:${answer}\n`;
  const forever = () => setInterval(() => undefined, 60_000);
  switch (process.env.FAKE) {
    case 'hangs':
      leaveChild();
      forever();
      break;
    case 'ends while a program that it has started lives on':
      leaveChild();
      process.exit(0);
      break;
    case 'ends with 0 and says nothing':
      process.exit(0);
      break;
    case 'ends with 1603 and says why on standard error':
      writeSync(2, 'the installer is unhappy\n');
      process.exit(1603 & 0xff);
      break;
    case 'goes on to the next command as if nothing was':
      break;
    case 'is ended by SIGTERM':
      process.kill(process.pid, 'SIGTERM');
      break;
    case 'answers in UTF-16':
      writeSync(1, Buffer.from(envelope, 'utf16le'));
      process.exit(0);
      break;
    case 'answers with the nonce of another run':
      writeSync(1, `\n#onward:${'0'.repeat(32)}:${answer}\n`);
      process.exit(0);
      break;
    case 'answers half an envelope':
      writeSync(1, envelope.slice(0, -20) + '\n');
      process.exit(0);
      break;
    case 'answers something else':
      writeSync(
        1,
        `\n#onward:${nonce}:${Buffer.from('{"ok":true,"result":{"status":"fine"},"log":""}').toString('base64')}\n`,
      );
      process.exit(0);
      break;
    case 'answers, and never ends':
      writeSync(1, envelope);
      forever();
      break;
    case 'answers after a prompt without a line feed, and ends with 3':
      writeSync(2, 'warning: harmless\n');
      writeSync(1, 'PS C:\\> ' + envelope);
      process.exit(3);
      break;
  }
}

/** A program that holds the pipes as well, and outlives PowerShell when only that is ended. */
function leaveChild() {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit' });
  writeFileSync(process.env.FAKE_CHILD, String(child.pid));
}
