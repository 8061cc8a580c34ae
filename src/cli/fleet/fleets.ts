/** What the commands ask of a Temporal server about fleets. */
import type { FleetInput, FleetMessages, FleetPlan, FleetProvider, FleetStatus } from '../../contract/fleet';
import type { AuditEntry } from '../../contract/status';
import { withConnection, type CliContext, type GlobalOptions } from '../kit/context';
import type { ExecutionStatus, WorkflowView } from '../kit/execution';
import type { Mailbox } from '../kit/messages/mailbox';
import type { Upgrades, UpgradeSummary } from '../upgrade/upgrades';
import type { FleetKey } from './messages';

export type FleetView = WorkflowView<FleetStatus>;

/** What the server itself knows of one fleet, also while no worker is up. */
export interface FleetSummary {
  fleet: string;
  workflowId: string;
  execution: ExecutionStatus;
  /** One of `FLEET_STATES`. */
  state?: string | undefined;
  closedAt?: string | undefined;
}

export interface WaveProvider extends FleetProvider {
  /** Counted from 1. */
  wave: number;
}

/** Fails as {@link Upgrades} does. */
export interface Fleets {
  /** The single upgrades of the same server. */
  readonly upgrades: Upgrades;
  start(input: FleetInput): Promise<{ workflowId: string; runId: string }>;
  view(fleet: string): Promise<FleetView>;
  plan(fleet: string): Promise<FleetPlan>;
  audit(fleet: string): Promise<AuditEntry[]>;
  /** All providers, in the order of their waves: answered by the parts that `status` names. */
  providers(status: Pick<FleetStatus, 'fleet' | 'waves'>): Promise<WaveProvider[]>;
  /** Its upgrades that run, at most `limit` of them, as the server knows them. */
  running(fleet: string, limit: number): Promise<UpgradeSummary[]>;
  /** Its upgrades that wait for people, at most `limit` of them, and how many there are. */
  waiting(fleet: string, limit: number): Promise<{ count: number; upgrades: UpgradeSummary[] }>;
  /** Every fleet that the server remembers, in the order of their names. */
  list(): Promise<FleetSummary[]>;
  readonly messages: Mailbox<FleetKey, FleetMessages>;
  close(): Promise<void>;
}

export interface FleetContext extends CliContext {
  connectFleets(options: GlobalOptions): Promise<Fleets>;
}

export function withFleets<T>(
  context: FleetContext,
  options: GlobalOptions,
  run: (fleets: Fleets) => Promise<T>,
): Promise<T> {
  return withConnection(context.connectFleets(options), run);
}
