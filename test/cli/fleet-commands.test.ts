import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CliError } from '../../src/cli/kit/cli-error';
import { onward, type Run } from './fake-upgrades';
import { FakeFleets } from './fake-fleets';
import { counts, fleetView } from './fleet-fixtures';

const NO_WORKER = new CliError('noWorker', 'No worker answers.');
const completed = {
  ...fleetView({ state: 'completed', counts: counts({ completed: 10 }), endedAt: '2026-11-03T11:00:00.000Z' }),
  execution: 'completed' as const,
};

const fleet = (commandLine: string[], fleets = new FakeFleets()): Promise<Run> =>
  onward(['fleet', ...commandLine], undefined, { connectFleets: async () => fleets });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'onward-fleet-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(text: string): Promise<string> {
  const name = path.join(folder, 'fleet.yaml');
  await writeFile(name, text);
  return name;
}

describe('fleet start', () => {
  test('makes the request of options alone, in the name of who is at the terminal', async () => {
    const fleets = new FakeFleets();
    const options = [
      ...['--name', 'autumn', '--label', 'region=emea', '--label', 'tier=gold', '--source-version', '18.3'],
      ...['--wave', '1', '--wave', '5%', '--wave', 'rest', '--max-parallel', '20'],
      ...[
        '--budget-wave',
        '3',
        '--budget-run',
        '2.5%',
        '--soak',
        '1d',
        '--park-after',
        '15m',
        '--approve',
        'plan,waves',
      ],
    ];
    const { code, stdout } = await fleet(['start', ...options], fleets);
    expect(code).toBe(0);
    expect(stdout).toContain('onward fleet status autumn --watch');
    expect(fleets.started).toEqual([
      {
        name: 'autumn',
        startedBy: 'ana@csp.example',
        providers: { labels: { region: 'emea', tier: 'gold' }, sourceVersion: '18.3' },
        waves: [1, '5%', 'rest'],
        maxParallel: 20,
        budget: { wave: 3, run: '2.5%' },
        soak: 86_400,
        parkAfter: 900,
        approval: { plan: true, waves: true },
      },
    ]);
    expect(fleets.closed).toBe(1);
  });

  test('an option replaces only its own field of the file, and a selection the whole selection', async () => {
    const fleets = new FakeFleets();
    const given = await file(
      '{"name": "autumn", "providers": {"sourceVersion": "18.3"}, "maxParallel": 5, "budget": {"wave": 2, "run": 9}}',
    );
    const { code } = await fleet(['start', '--file', given, '--all', '--budget-run', '4'], fleets);
    expect(code).toBe(0);
    expect(fleets.started).toMatchObject([{ providers: { all: true }, maxParallel: 5, budget: { wave: 2, run: 4 } }]);
    expect(fleets.started).not.toMatchObject([{ providers: { sourceVersion: '18.3' } }]);
  });

  test('every problem is told with its line or its option, and nobody is connected to', async () => {
    const given = await file(
      'name: Autumn leaves\nproviders:\n  sourceVersion: "eighteen"\nmaxParalel: 5\nwaves: [rest, 1]\n',
    );
    const { code, stderr } = await onward(['fleet', 'start', '--file', given, '--budget-wave', 'many']);
    expect(code).toBe(2);
    expect(stderr).toContain('fleet.yaml:1: name: use 1 to 63 lower-case letters');
    expect(stderr).toContain('fleet.yaml:3: providers.sourceVersion');
    expect(stderr).toContain('fleet.yaml:4: maxParalel: there is no such field; did you mean maxParallel?');
    expect(stderr).toContain('fleet.yaml:5: waves: rest may only be the last wave');
    expect(stderr).toContain('--budget-wave: must be a whole number');
  });

  test('what is missing is asked for by the option that gives it', async () => {
    const { code, stderr } = await onward(['fleet', 'start']);
    expect(code).toBe(2);
    expect(stderr).toContain('name the fleet with --name');
    expect(stderr).toContain('--provider, --label, --source-version or --all');
  });

  test.each([
    ['is no YAML', 'name: [autumn\n', 'fleet.yaml:2'],
    ['holds a list', '- autumn\n', 'must hold one fleet'],
  ])('a file that %s is one clear error', async (_, text, said) => {
    const { code, stderr } = await onward(['fleet', 'start', '--file', await file(text)]);
    expect(code).toBe(2);
    expect(stderr).toContain(said);
  });

  test.each([
    [['--label', 'emea'], 'region=emea'],
    [['--soak', 'soon'], '90s, 15m'],
    [['--approve', 'everything'], 'everything is not plan or waves'],
    [['--file', '/nowhere/fleet.yaml'], 'cannot be read'],
  ])('%j is a usage error that says what to do', async (options, hint) => {
    const { code, stderr } = await onward(['fleet', 'start', '--name', 'autumn', '--all', ...options]);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });

  test.each([
    ['everybody is upgraded', completed, 0],
    [
      'somebody is not',
      { ...completed, status: { ...completed.status, counts: counts({ completed: 9, failed: 1 }) } },
      1,
    ],
    ['it was stopped', { ...completed, status: { ...completed.status, state: 'stopped' as const } }, 1],
    ['it was terminated', { ...fleetView(), execution: 'terminated' as const }, 1],
  ])('with --watch, the exit code tells whether %s', async (_, end, expected) => {
    const fleets = new FakeFleets([fleetView(), end]);
    const { code } = await fleet(['start', '--name', 'autumn', '--all', '--watch', '--interval', '0.1'], fleets);
    expect(code).toBe(expected);
  });
});

describe('fleet plan', () => {
  test('starts a fleet that waits, and prints who is in which wave, what is done, who is left out, and how to go on', async () => {
    const fleets = new FakeFleets([fleetView({ state: 'planning', waves: [] }), fleetView({ state: 'planned' })]);
    const { code, stdout } = await fleet(['plan', '--name', 'autumn', '--all'], fleets);
    expect(code).toBe(0);
    expect(fleets.started).toMatchObject([{ approval: { plan: true } }]);
    expect(stdout).toContain('Wave 1: 1 provider\n');
    expect(stdout).toMatch(/18\.3 {2}18\.4\.1 {2}contoso\n/);
    expect(stdout).toContain('18.3  18.4.1  fabrikam, northwind, tailspin, later-1');
    expect(stdout).toMatch(/Title of acquireRefreshTokens +always +partner administrators/);
    expect(stdout).toMatch(/it runs 18\.4\.1 already +initech, umbrella/);
    expect(stdout).not.toContain('What happens to a provider on 18.4,');
    expect(stdout).toContain("onward fleet proceed autumn --reason '<why>'");
    expect(stdout).toContain("onward fleet abort autumn --reason '<why>'");
  });

  test('leads to the release that is named, and says so in its terms', async () => {
    const fleets = new FakeFleets([fleetView({ state: 'planned' })]);
    const { code, stdout } = await fleet(['plan', '--name', 'autumn', '--all', '--to', '18.4.1'], fleets);
    expect(code).toBe(0);
    expect(fleets.started).toMatchObject([{ to: '18.4.1', providers: { all: true } }]);
    expect(stdout).toMatch(/Upgraded to +the release that follows each provider's version\n/);
  });

  test.each([
    ['a release', 'next', 'must be a version'],
    ['nothing', '', 'must be a version'],
  ])('a target that is no version is a usage error: %s', async (_, to, said) => {
    const fleets = new FakeFleets();
    const { code, stderr } = await fleet(['plan', '--name', 'autumn', '--all', '--to', to], fleets);
    expect(code).toBe(2);
    expect(stderr).toContain(`--to: ${said}`);
    expect(fleets.started).toEqual([]);
  });

  test('a fleet that cannot be planned is a failure with its reason', async () => {
    const failed = {
      ...fleetView({ state: 'planning' }),
      execution: 'failed' as const,
      failure: 'Nobody has the label.',
    };
    const { code, stderr } = await fleet(['plan', '--name', 'autumn', '--label', 'a=b'], new FakeFleets([failed]));
    expect(code).toBe(1);
    expect(stderr).toContain('Nobody has the label.');
  });
});

describe('fleet status', () => {
  test('shows how far the fleet is, when it will be done, and who needs someone, with the command that answers', async () => {
    const { code, stdout } = await fleet(['status', 'autumn']);
    expect(code).toBe(0);
    expect(stdout).toContain('10 providers: 1 completed, 1 running, 1 held, 1 failed, 6 pending');
    expect(stdout).toContain('2 broken, the budget is 3');
    expect(stdout).toMatch(/Done about .* UTC, in .*, going by 1 upgrade\./);
    expect(stdout).toContain('onward consent contoso 2');
  });

  test('shows what the fleet itself asks, with the command that answers', async () => {
    const asks = {
      what: 'budget' as const,
      since: '2026-11-03T11:00:00.000Z',
      problem: '3 of 3 are broken.',
      answer: {
        name: 'decideBudget' as const,
        payload: { action: 'continue', run: '<budget>', by: '<you>', reason: '<why>' },
      },
    };
    const { stdout } = await fleet(['status', 'autumn'], new FakeFleets([fleetView({ state: 'halted', asks })]));
    expect(stdout).toContain('3 of 3 are broken.');
    expect(stdout).toContain("onward fleet decide autumn continue --run '<budget>' --reason '<why>'");
    expect(stdout).toContain('of work is left once it goes on');
  });

  test('--watch outlives a worker that is away, and tells each change once', async () => {
    const fleets = new FakeFleets([fleetView(), NO_WORKER, fleetView(), completed]);
    const { code, stdout } = await fleet(['status', 'autumn', '--watch', '--interval', '0.1'], fleets);
    expect(code).toBe(0);
    expect(stdout.match(/Wave 2 running/g)).toHaveLength(1);
    expect(stdout).toContain('Answers again');
    expect(stdout).toContain('Fleet completed.');
  });

  test('without a worker shows what the server itself knows, and says so by its exit code', async () => {
    const { code, stdout } = await fleet(['status', 'autumn'], new FakeFleets([NO_WORKER]));
    expect(code).toBe(6);
    expect(stdout).toContain('autumn, halted');
  });

  test('providers are listed by their states and waves', async () => {
    const { stdout } = await fleet(['providers', 'autumn', '--state', 'failed,held']);
    expect(stdout).toContain('2 of 10 providers');
    expect(stdout).toMatch(/fabrikam +2 +18\.3 +failed +30 min 00 s +DrainTimedOut/);
    const { stdout: json } = await fleet(['providers', 'autumn', '--wave', '1', '--json']);
    expect(JSON.parse(json)).toMatchObject([{ provider: 'contoso', wave: 1, state: 'completed' }]);
    expect((await fleet(['providers', 'autumn', '--state', 'broken'])).code).toBe(2);
  });

  test('fleets are listed from what the server itself knows', async () => {
    expect((await fleet(['list'])).stdout).toBe('autumn, halted\n');
  });
});

describe('what people tell a fleet', () => {
  test.each([
    [['proceed', 'autumn', '--reason', 'CAB'], 'proceed', { reason: 'CAB' }],
    [['pause', 'autumn', '--reason', 'night'], 'pause', { reason: 'night' }],
    [['resume', 'autumn', '--reason', 'day'], 'resume', { reason: 'day' }],
    [['abort', 'autumn', '--reason', 'wrong'], 'abort', { reason: 'wrong' }],
    [['set-max-parallel', 'autumn', '7', '--reason', 'x'], 'setMaxParallel', { maxParallel: 7, reason: 'x' }],
    [
      ['decide', 'autumn', 'continue', '--wave', '20%', '--run', '9', '--reason', 'x'],
      'decideBudget',
      { action: 'continue', wave: '20%', run: 9, reason: 'x' },
    ],
  ])('%j sends the message of the contract', async (commandLine, name, fields) => {
    const fleets = new FakeFleets();
    const { code, stdout } = await fleet([...commandLine, '--by', 'ben'], fleets);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'The fleet goes on.\n' });
    expect(fleets.messages.sent).toEqual([
      { to: { fleet: 'autumn' }, name, message: { ...fields, by: 'ben' }, waits: true },
    ]);
  });

  test('is not sent when it is not valid, and every problem is named', async () => {
    const fleets = new FakeFleets();
    const { code, stderr } = await fleet(['set-max-parallel', 'autumn', 'lots'], fleets);
    expect(code).toBe(2);
    expect(stderr).toContain('maxParallel');
    expect(stderr).toContain('reason is missing');
    expect((await fleet(['decide', 'autumn', 'continue', '--reason', 'x'], fleets)).stderr).toContain(
      'needs a new budget',
    );
    expect(fleets.messages.sent).toEqual([]);
  });

  test('can be left as a signal while no worker is up', async () => {
    const fleets = new FakeFleets();
    await fleet(['pause', 'autumn', '--reason', 'night', '--signal'], fleets);
    expect(fleets.messages.sent).toMatchObject([{ waits: false, name: 'pause' }]);
  });
});

describe('fleet report', () => {
  test('is text, JSON, or a page in a file', async () => {
    expect((await fleet(['report', 'autumn'])).stdout).toMatch(/fabrikam +2 +failed +DrainTimedOut/);
    expect(JSON.parse((await fleet(['report', 'autumn', '--json'])).stdout)).toMatchObject({
      format: 'onward-fleet-report/1',
      failures: [{ cause: 'DrainTimedOut', providers: ['fabrikam'] }, { cause: 'held' }],
      timings: { upgrades: { count: 1, mean: 3600 } },
    });
    const page = path.join(folder, 'autumn.html');
    expect((await fleet(['report', 'autumn', '--html', page])).stdout).toBe(`Written to ${page}.\n`);
    expect(await readFile(page, 'utf8')).toContain('<h1>Fleet autumn</h1>');
  });

  test('of a fleet that is not there says so', async () => {
    expect(await fleet(['report', 'spring'])).toMatchObject({ code: 4, stdout: '' });
  });
});
