import { CliError } from '../../src/cli/kit/cli-error';
import type { GlobalOptions } from '../../src/cli/kit/context';
import { runCli, type ProgramContext } from '../../src/cli/program';
import type { UpgradeKey } from '../../src/cli/upgrade/messages';
import type { Upgrades, UpgradeSummary, UpgradeView } from '../../src/cli/upgrade/upgrades';
import type { Messages } from '../../src/contract/messages';
import { CATALOGUE } from '../../workflows/releases';
import { FakeMailbox } from './fake-mailbox';
import type { PreflightInput, PreflightReport } from '../../src/contract/preflight';
import { audit, NOW, preflightReport, record, view } from './fixtures';

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

/** A server with one upgrade, contoso. Views are answered one after the other, the last one for ever; an error is thrown. */
export class FakeUpgrades implements Upgrades {
  readonly messages = new FakeMailbox<UpgradeKey, Messages>(
    'Thank you, the connection is being tested.',
    ({ provider }) => {
      this.known(provider);
      if (this.refusal !== undefined) throw this.refusal;
    },
  );
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
  /** What a look finds. */
  report: PreflightReport = preflightReport();
  async lookBefore({ provider }: PreflightInput, waitsFor: (what: string[]) => void) {
    waitsFor(['Operations']);
    return { ...this.report, provider };
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
  changes: Partial<ProgramContext> = {},
): Promise<Run> {
  const run: Run = { code: 0, stdout: '', stderr: '', connections: [] };
  run.code = await runCli(commandLine, {
    stdout: { write: (text) => (run.stdout += text) },
    stderr: { write: (text) => (run.stderr += text) },
    env: { ONWARD_USER: 'ana@csp.example' },
    platform: 'linux',
    now: () => NOW,
    interrupted: () => new AbortController().signal,
    connectUpgrades: async (options) => {
      run.connections.push(options);
      return upgrades;
    },
    connectFleets: async () => {
      throw new Error('This test has no fleets.');
    },
    catalogue: async () => CATALOGUE,
    connectConsents: () => Promise.reject(new Error('This command line is about no consents.')),
    ...changes,
  });
  return run;
}
