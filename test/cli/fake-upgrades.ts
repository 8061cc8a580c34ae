import type { MessageName, Messages } from '../../src/contract/messages';
import { CliError } from '../../src/cli/kit/cli-error';
import type { Upgrades, UpgradeSummary, UpgradeView } from '../../src/cli/upgrade/upgrades';
import type { CliContext, GlobalOptions } from '../../src/cli/kit/context';
import { runCli } from '../../src/cli/program';
import { audit, NOW, record, view } from './fixtures';

export const summary: UpgradeSummary = {
  provider: 'contoso',
  workflowId: 'upgrade/contoso',
  runId: '7d9f',
  execution: 'running',
  startedAt: '2026-11-03T10:00:00.000Z',
  path: '18.3 -> 18.4.1',
  state: 'waiting',
  step: 'acquireRefreshTokens',
  crossed: true,
  openGates: 1,
};

type Sent = { how: 'update' | 'signal'; provider: string; name: MessageName; message: unknown };

/** A server with one upgrade, contoso. Views are answered one after the other, the last one for ever; an error is thrown. */
export class FakeUpgrades implements Upgrades {
  readonly sent: Sent[] = [];
  readonly started: unknown[] = [];
  closed = 0;
  constructor(
    private readonly views: (UpgradeView | CliError)[] = [view()],
    private readonly refusal?: CliError,
  ) {}

  private known(provider: string): void {
    if (provider !== 'contoso') throw new CliError('notFound', `There is no upgrade of ${provider}.`);
  }
  async start(input: { provider: string }) {
    if (this.refusal !== undefined) throw this.refusal;
    this.started.push(input);
    return { workflowId: `upgrade/${input.provider}`, runId: '7d9f' };
  }
  async view(provider: string) {
    this.known(provider);
    const next = this.views.length > 1 ? this.views.shift() : this.views[0];
    if (next === undefined || next instanceof CliError) throw next ?? new Error('no view');
    return next;
  }
  async plan() {
    return { provider: 'contoso', steps: [] };
  }
  async audit(provider: string) {
    this.known(provider);
    return audit;
  }
  async summary(provider: string) {
    this.known(provider);
    return summary;
  }
  async running() {
    return [summary];
  }
  async record() {
    return record;
  }
  async answer<N extends MessageName>(provider: string, name: N, message: Messages[N]) {
    this.known(provider);
    if (this.refusal !== undefined) throw this.refusal;
    this.sent.push({ how: 'update', provider, name, message });
    return { recorded: true as const, message: 'Thank you, the connection is being tested.' };
  }
  async signal<N extends MessageName>(provider: string, name: N, message: Messages[N]) {
    this.sent.push({ how: 'signal', provider, name, message });
  }
  async close() {
    this.closed += 1;
  }
}

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
  connections: GlobalOptions[];
}

/** Runs one command line the way a shell would, against the fake server. */
export async function onward(
  commandLine: string[],
  upgrades: Upgrades = new FakeUpgrades(),
  changes: Partial<CliContext> = {},
): Promise<Run> {
  const run: Run = { code: 0, stdout: '', stderr: '', connections: [] };
  run.code = await runCli(commandLine, {
    stdout: { write: (text) => (run.stdout += text) },
    stderr: { write: (text) => (run.stderr += text) },
    env: { ONWARD_USER: 'ana@csp.example' },
    platform: 'linux',
    now: () => NOW,
    interrupted: () => new AbortController().signal,
    connect: async (options) => {
      run.connections.push(options);
      return upgrades;
    },
    connectFleets: async () => {
      throw new Error('This test has no fleets.');
    },
    connectConsents: () => Promise.reject(new Error('This command line is about no consents.')),
    ...changes,
  });
  return run;
}
