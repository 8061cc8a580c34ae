import { runDemo } from '../../src/cli/demo/run-demo';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CliError } from '../../src/cli/kit/cli-error';
import type { UpgradeView } from '../../src/cli/upgrade/upgrades';
import { view } from './fixtures';
import { FakeUpgrades, onward, summary } from './fake-upgrades';

const NO_WORKER = new CliError('noWorker', 'No worker answers.');

describe('the command line', () => {
  test('help lists the commands and what the exit codes mean', async () => {
    const { code, stdout } = await onward(['--help']);
    expect(code).toBe(0);
    for (const command of ['start', 'status', 'gates', 'consent', 'confirm', 'resolve', 'approve', 'abort', 'report']) {
      expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(stdout).toContain('Exit codes:');
    expect(stdout).toContain('TEMPORAL_ADDRESS');
  });

  test.each([
    ['an unknown command', ['strat', 'contoso'], 'Did you mean start?'],
    ['no command', [], 'Name a command'],
    ['an unknown option', ['status', '--wach'], 'Did you mean --watch?'],
    ['a provider that no inventory could have', ['status', 'Con toso'], 'lower-case letters'],
    ['a report in no known form', ['report', 'contoso', '--format', 'pdf'], 'markdown'],
  ])('%s is a usage error that says what to do', async (_, commandLine, hint) => {
    const { code, stderr, connections } = await onward(commandLine);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
    expect(connections).toEqual([]);
  });

  test('errors are JSON on stderr with --json, and stdout stays empty', async () => {
    const { code, stdout, stderr } = await onward(['status', 'fabrikam', '--json']);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { kind: 'notFound', message: 'There is no upgrade of fabrikam.', problems: [], exitCode: 4 },
    });
  });

  test('the server is the one that the command line names, and its connection is closed', async () => {
    const upgrades = new FakeUpgrades();
    const { connections } = await onward(['audit', 'contoso', '--address', 'h:1', '--namespace', 'n'], upgrades);
    expect(connections).toEqual([expect.objectContaining({ address: 'h:1', namespace: 'n' })]);
    expect(upgrades.closed).toBe(1);
  });

  test('a server that cannot be reached has its own exit code', async () => {
    const connectUpgrades = () => Promise.reject(new CliError('unreachable', 'Nobody listens.', { hint: 'Start it.' }));
    const { code, stderr } = await onward(['status'], undefined, { connectUpgrades });
    expect({ code, stderr }).toEqual({ code: 5, stderr: 'Nobody listens.\nStart it.\n' });
  });
});

describe('start', () => {
  test('starts the upgrade in the name of who is at the terminal', async () => {
    const upgrades = new FakeUpgrades();
    const { code, stdout } = await onward(['start', 'contoso', '--json'], upgrades);
    expect(code).toBe(0);
    expect(upgrades.started).toEqual([{ provider: 'contoso', startedBy: 'ana@csp.example' }]);
    expect(JSON.parse(stdout)).toEqual({
      provider: 'contoso',
      startedBy: 'ana@csp.example',
      workflowId: 'upgrade/contoso',
      runId: '7d9f',
    });
  });

  test('leads to the release that is named, and else leaves the choice to the upgrade', async () => {
    const upgrades = new FakeUpgrades();
    const { code } = await onward(['start', 'contoso', '--to', '18.4.1'], upgrades);
    expect(code).toBe(0);
    expect(upgrades.started).toEqual([{ provider: 'contoso', startedBy: 'ana@csp.example', to: '18.4.1' }]);
    expect(await onward(['start', 'contoso', '--to', ' '], upgrades)).toMatchObject({ code: 2, connections: [] });
    expect(upgrades.started).toHaveLength(1);
  });

  test('is refused while the upgrade runs', async () => {
    const refusal = new CliError('refused', 'The upgrade of contoso is running already.');
    const { code, stderr } = await onward(['start', 'contoso'], new FakeUpgrades([view()], refusal));
    expect(code).toBe(3);
    expect(stderr).toContain('running already');
  });

  test.each([
    ['completed', 'completed', 0],
    ['rolledBack', 'failed', 1],
    ['refused', 'failed', 3],
    ['rollbackIncomplete', 'failed', 1],
    ['waiting', 'terminated', 1],
  ] as const)('with --wait, an upgrade that ends %s (%s) gives exit code %d', async (state, execution, expected) => {
    const upgrades = new FakeUpgrades([view(), view({ state, gates: [] }, execution)]);
    const { code, stdout } = await onward(['start', 'contoso', '--wait', '--interval', '0.1', '--json'], upgrades);
    expect(code).toBe(expected);
    expect(JSON.parse(stdout)).toMatchObject({ provider: 'contoso', execution, status: { state } });
  });
});

describe('finish', () => {
  test('finishes what was begun, from what is named where no ledger tells, and needs no name for either', async () => {
    const upgrades = new FakeUpgrades();
    const { code, stdout } = await onward(['finish', 'contoso'], upgrades);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('upgrade/contoso') as string });
    const named = ['finish', 'contoso', '--from', '18.3', '--to', '18.4.1', '--by', 'bo@csp.example'];
    expect((await onward(named, upgrades)).code).toBe(0);
    expect(upgrades.started).toEqual([
      { provider: 'contoso', startedBy: 'ana@csp.example', finish: true },
      { provider: 'contoso', startedBy: 'bo@csp.example', finish: true, from: '18.3', to: '18.4.1' },
    ]);
  });

  test('one that comes back is no success: --wait ends with 1', async () => {
    const rolledBack = view({ state: 'rolledBack', gates: [] }, 'failed');
    const waiting = ['finish', 'contoso', '--wait', '--interval', '0.1', '--json'];
    const { code, stdout } = await onward(waiting, new FakeUpgrades([view(), rolledBack]));
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: { state: 'rolledBack' } });
  });

  test('is refused while the upgrade runs', async () => {
    const refusal = new CliError('refused', 'The upgrade of contoso is running already.');
    expect(await onward(['finish', 'contoso'], new FakeUpgrades([view()], refusal))).toMatchObject({ code: 3 });
  });
});

describe('status', () => {
  test('without a provider lists what runs, from what the server itself knows', async () => {
    const { stdout } = await onward(['status']);
    expect(stdout).toContain('contoso, 18.3 -> 18.4.1, waiting, at acquireRefreshTokens, point of no return passed');
  });

  test('without a worker shows what the server itself knows, and says so by its exit code', async () => {
    const { code, stdout, stderr } = await onward(['status', 'contoso', '--json'], new FakeUpgrades([NO_WORKER]));
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toEqual({ summary });
    expect(JSON.parse(stderr)).toMatchObject({ error: { kind: 'noWorker' } });
  });

  test('--watch outlives a worker that is away for a while, and says when it is back', async () => {
    const end = view({ state: 'completed', gates: [] }, 'completed');
    const upgrades = new FakeUpgrades([view(), NO_WORKER, NO_WORKER, end]);
    const { code, stdout } = await onward(['status', 'contoso', '--watch', '--interval', '0.1'], upgrades);
    expect(code).toBe(0);
    expect(stdout.match(/No worker answers\. Trying again\./g)).toHaveLength(1);
    expect(stdout).toContain('Answers again');
    expect(stdout).toContain('Upgrade completed.');
  });

  test('--watch ends at Ctrl-C and says that the upgrade goes on', async () => {
    const interrupted = () => AbortSignal.abort();
    const { code, stderr } = await onward(['status', 'contoso', '--watch'], undefined, { interrupted });
    expect(code).toBe(130);
    expect(stderr).toContain('the upgrade of contoso goes on');
  });
});

describe('gates', () => {
  test('lists every gate with the commands that answer it', async () => {
    const { stdout } = await onward(['gates', '--json']);
    const { upgrades } = JSON.parse(stdout) as { upgrades: { gates: { commands: { onward: string } }[] }[] };
    expect(upgrades[0]?.gates[0]?.commands.onward).toBe('npx onward consent contoso 2');
  });

  test('without a worker tells how many people are waited for', async () => {
    const { code, stdout } = await onward(['gates'], new FakeUpgrades([NO_WORKER]));
    expect(code).toBe(6);
    expect(stdout).toContain('the server only knows how many people are waited for');
    expect(stdout).toContain('1 waiting for a person');
    expect(stdout).not.toContain('Nothing waits');
  });

  test('tells those of all others where one upgrade cannot answer, and asks no more once that has taken long', async () => {
    const names = ['adatum', 'contoso', 'fabrikam'];
    const upgradesOf = (answer: (provider: string) => UpgradeView) =>
      Object.assign(new FakeUpgrades(), {
        running: async () => names.map((provider) => ({ ...summary, provider })),
        view: async (provider: string) => answer(provider),
      });
    const told = ({ stdout }: { stdout: string }) => {
      const { upgrades, unanswered } = JSON.parse(stdout) as Record<string, { provider: string }[]>;
      return [upgrades, unanswered].map((some) => some?.map(({ provider }) => provider));
    };
    const stuck = upgradesOf((provider) => {
      if (provider === 'adatum') throw new CliError('noWorker', 'Its workflow task fails.');
      return view();
    });
    const one = await onward(['gates', '--json'], stuck);
    expect(one).toMatchObject({ code: 6, stderr: expect.stringContaining('Its workflow task fails.') });
    expect(told(one)).toEqual([['contoso', 'fabrikam'], ['adatum']]);

    let time = Date.parse('2026-11-03T10:00:00.000Z');
    const asked: string[] = [];
    const nobody = upgradesOf((provider) => {
      asked.push(provider);
      time += 10_000;
      throw NO_WORKER;
    });
    expect(told(await onward(['gates', '--json'], nobody, { now: () => new Date(time) }))).toEqual([[], names]);
    expect(asked).toEqual(['adatum']);
  });

  test('quotes for PowerShell on Windows', async () => {
    const { stdout } = await onward(['gates', 'contoso'], undefined, { platform: 'win32' });
    expect(stdout).toContain(`--input '{"instance":"2","by":"<who you are>"}'`);
  });
});

describe('answers', () => {
  test.each([
    [['consent', 'contoso', '2'], 'consentCompleted', { instance: '2' }],
    [
      ['confirm', 'contoso', 'updateCustomizations', '--item', 'main-store', '--evidence', 'CHG-7'],
      'confirmStep',
      { step: 'updateCustomizations', item: 'main-store', evidence: 'CHG-7' },
    ],
    [
      ['resolve', 'contoso', 'drainTasks', 'retry', '--reason', 'mended'],
      'resolveHold',
      { step: 'drainTasks', action: 'retry', reason: 'mended' },
    ],
    [
      ['decide', 'contoso', 'announceNewPlans', 'decline', '--reason', 'no reseller wants them'],
      'decideStep',
      { step: 'announceNewPlans', action: 'decline', reason: 'no reseller wants them' },
    ],
    [['approve', 'contoso', '--reason', 'CAB'], 'approveCrossing', { reason: 'CAB' }],
    [['pause', 'contoso', '--reason', 'night'], 'pause', { reason: 'night' }],
    [['resume', 'contoso', '--reason', 'day'], 'resume', { reason: 'day' }],
    [['abort', 'contoso', '--reason', 'wrong day'], 'abort', { reason: 'wrong day' }],
    [['override-window', 'contoso', '--reason', 'CAB'], 'overrideWindow', { reason: 'CAB' }],
  ])('%j sends the message of the contract', async (commandLine, name, fields) => {
    const upgrades = new FakeUpgrades();
    const { code, stdout } = await onward([...commandLine, '--by', 'ben'], upgrades);
    expect(code).toBe(0);
    expect(stdout).toBe('Thank you, the connection is being tested.\n');
    expect(upgrades.messages.sent).toEqual([
      { to: { provider: 'contoso' }, name, message: { ...fields, by: 'ben' }, waits: true },
    ]);
  });

  test('that are not valid are not sent, and every problem is named', async () => {
    const upgrades = new FakeUpgrades();
    const { code, stderr } = await onward(['resolve', 'contoso', 'drainTasks', 'skip', '--by', ' '], upgrades);
    expect(code).toBe(2);
    expect(stderr).toContain('action must be retry, rollback or doneByHand');
    expect(stderr).toContain('by must not be empty');
    expect(stderr).toContain('reason is missing');
    expect(upgrades.messages.sent).toEqual([]);
  });

  test('that decide in no known way about an optional step are not sent', async () => {
    const upgrades = new FakeUpgrades();
    const { code, stderr } = await onward(['decide', 'contoso', 'announceNewPlans', 'skip', '--reason', 'x'], upgrades);
    expect(code).toBe(2);
    expect(stderr).toContain('action must be run or decline');
    expect(upgrades.messages.sent).toEqual([]);
  });

  test('that the upgrade refuses are told with its reason', async () => {
    const refusal = new CliError('refused', 'The point of no return is passed.');
    const { code, stderr } = await onward(['abort', 'contoso', '--reason', 'x'], new FakeUpgrades([view()], refusal));
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'The point of no return is passed.\n' });
  });

  test('without a worker tell that they can be left as a signal', async () => {
    const { code, stderr } = await onward(['consent', 'contoso', '2'], new FakeUpgrades([view()], NO_WORKER));
    expect(code).toBe(6);
    expect(stderr).toContain('--signal');
  });

  test('can be left as a signal while no worker is up', async () => {
    const upgrades = new FakeUpgrades();
    const { stdout } = await onward(['consent', 'contoso', '2', '--signal'], upgrades);
    expect(upgrades.messages.sent).toEqual([expect.objectContaining({ waits: false, name: 'consentCompleted' })]);
    expect(stdout).toContain('onward audit contoso');
  });
});

describe('commands that run or check something here', () => {
  test.each([
    [['worker', '--host', 'GW 01'], "A host's name"],
    [['worker', '--sandbox', 'contoso'], 'http://127.0.0.1:7080/'],
    [['sandbox', '--source', 'contoso'], 'with = between them'],
    [['sandbox', '--control-port', '70000'], 'a port from 1 to 65535'],
    [['demo', '--provider', 'northwind'], 'contoso, fabrikam'],
    ...['http://127.0.0.1:8233/', 'temporal.example', '*', 'file:///etc'].map((origin): [string[], string] => [
      ['codec-server', '--ui-origin', origin],
      'scheme, host and port',
    ]),
  ])('%j is a usage error that says what to do', async (commandLine, hint) => {
    const { code, stderr } = await onward(commandLine);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  test('a demo from a version that no simulated provider has is a usage error that names those there are', async () => {
    const nothing = {} as Parameters<typeof runDemo>[0];
    const options = { from: '18.2', pace: 'quick' } as Parameters<typeof runDemo>[1];
    await expect(runDemo(nothing, options)).rejects.toMatchObject({
      message: 'No simulated provider starts from 18.2.',
      hint: 'It may be 18.3, 18.4.',
    });
  });

  test('an inventory with mistakes is not valid, and every mistake is named with its line', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'onward-inventory-'));
    try {
      await writeFile(path.join(folder, 'contoso.yaml'), 'provider: contoso\nplans: []\n');
      const { code, stdout, stderr } = await onward(['inventory', 'check', '--inventory', folder, '--json']);
      expect(code).toBe(2);
      const { problems } = JSON.parse(stdout) as { problems: { field: string; line: number }[] };
      expect(problems).toContainEqual(expect.objectContaining({ field: 'plans', line: 2 }));
      expect(stderr).toContain('contoso.yaml:2: plans');
      const started = await onward(['start', 'contoso', '--inventory', folder]);
      expect(started).toMatchObject({ code: 2, connections: [] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a provider that is not in the inventory at hand is not started', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'onward-inventory-'));
    try {
      const { code, connections } = await onward(['start', 'contoso', '--inventory', folder]);
      expect({ code, connections }).toEqual({ code: 4, connections: [] });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('audit and report', () => {
  test('the audit trail shows who said what and what was refused', async () => {
    const { stdout } = await onward(['audit', 'contoso']);
    expect(stdout).toMatch(/refused\s+signal:abort\s+mallory\s+The point of no return is passed\./);
  });

  test('a report goes to the file that is asked for', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'onward-report-'));
    try {
      const output = path.join(folder, 'contoso.md');
      const { code, stdout } = await onward(['report', 'contoso', '--format', 'markdown', '--output', output]);
      expect({ code, stdout }).toEqual({ code: 0, stdout: `Written to ${output}.\n` });
      expect(await readFile(output, 'utf8')).toContain('# Upgrade of contoso: evidence');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a report that cannot be written is a failure', async () => {
    const { code, stderr } = await onward(['report', 'contoso', '--output', '/nowhere/at/all']);
    expect(code).toBe(1);
    expect(stderr).toContain('could not be written');
  });
});
