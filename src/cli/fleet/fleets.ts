/** What the commands ask of a Temporal server about fleets. */
import type {
  FleetInput,
  FleetMessageName,
  FleetMessages,
  FleetPlan,
  FleetProvider,
  FleetStatus,
} from '../../contract/fleet';
import type { Recorded } from '../../contract/messages';
import type { AuditEntry } from '../../contract/status';
import type { ExecutionStatus, Upgrades, UpgradeSummary } from '../upgrade/upgrades';

/** One fleet as its workflow describes it, and what the server says of the workflow. */
export interface FleetView {
  execution: ExecutionStatus;
  status: FleetStatus;
  /** Why the workflow failed, where it did. */
  failure?: string | undefined;
}

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
  /** Sends an answer as an update and returns what the fleet says to it. */
  answer<N extends FleetMessageName>(fleet: string, name: N, message: FleetMessages[N]): Promise<Recorded>;
  /** Leaves an answer as a signal: it is recorded even while no worker is up, and nobody says whether it was enough. */
  signal<N extends FleetMessageName>(fleet: string, name: N, message: FleetMessages[N]): Promise<void>;
  close(): Promise<void>;
}
