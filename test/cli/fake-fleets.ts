import type { Fleets, FleetSummary, FleetView, WaveProvider } from '../../src/cli/fleet/fleets';
import type { FleetKey } from '../../src/cli/fleet/messages';
import { CliError } from '../../src/cli/kit/cli-error';
import type { UpgradeSummary } from '../../src/cli/upgrade/upgrades';
import type { FleetMessages, FleetPlan } from '../../src/contract/fleet';
import { FakeMailbox } from './fake-mailbox';
import { FakeUpgrades, summary } from './fake-upgrades';
import { fleetAudit, fleetPlan, fleetProviders, fleetView } from './fleet-fixtures';

/** A server with one fleet, autumn. Views are answered one after the other, the last one for ever; an error is thrown. */
export class FakeFleets implements Fleets {
  readonly messages = new FakeMailbox<FleetKey, FleetMessages>('The fleet goes on.', ({ fleet }) => this.known(fleet));
  readonly started: unknown[] = [];
  closed = 0;
  readonly upgrades = new FakeUpgrades();

  constructor(
    private readonly views: (FleetView | CliError)[] = [fleetView()],
    private readonly members: { providers?: WaveProvider[]; waiting?: number } = {},
  ) {}

  private known(fleet: string): void {
    if (fleet !== 'autumn') throw new CliError('notFound', `There is no fleet ${fleet}.`);
  }
  async start(input: { name: string }) {
    this.started.push(input);
    return { workflowId: `fleet/${input.name}`, runId: '7d9f' };
  }
  async view(fleet: string): Promise<FleetView> {
    this.known(fleet);
    const next = this.views.length > 1 ? this.views.shift() : this.views[0];
    if (next === undefined || next instanceof CliError) throw next ?? new Error('no view');
    return next;
  }
  async plan(fleet: string): Promise<FleetPlan> {
    this.known(fleet);
    return fleetPlan;
  }
  async audit() {
    return fleetAudit;
  }
  async providers(): Promise<WaveProvider[]> {
    return this.members.providers ?? fleetProviders;
  }
  async running(): Promise<UpgradeSummary[]> {
    return [{ ...summary, state: 'running', step: 'validate' }];
  }
  async waiting(): Promise<{ count: number; upgrades: UpgradeSummary[] }> {
    return { count: this.members.waiting ?? 1, upgrades: [summary] };
  }
  async list(): Promise<FleetSummary[]> {
    return [{ fleet: 'autumn', workflowId: 'fleet/autumn', execution: 'running', state: 'halted' }];
  }
  async close() {
    this.closed += 1;
  }
}
