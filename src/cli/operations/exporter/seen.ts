/** What the exporter sees in one look at the server. */
import type { ConsentStatus } from '../../../contract/consent';
import type { FleetStatus } from '../../../contract/fleet';
import type { Ledger } from '../../../contract/ledger';
import type { UpgradeStatus } from '../../../contract/status';

/** A workflow whose details only a worker tells. */
export interface Asked<Status> {
  runId: string;
  /** Of the provider, the fleet or the installation. */
  name: string;
  /** As a worker has told them last; undefined until one has. */
  details: Status | undefined;
  /** No worker answered in this look, so the details may be old. */
  silent: boolean;
}

/** An upgrade or a fleet that runs. The server knows state and step by itself. */
export interface Running<Status> extends Asked<Status> {
  state: string;
  step: string;
}

export interface SeenQueue {
  name: string;
  /** Workers by build, `unversioned` for those that have none. */
  workers: Map<string, number>;
  /** Tasks that wait for a worker, about. */
  backlog: number;
}

export interface Seen {
  upgrades: Running<UpgradeStatus>[];
  /** Of upgrades that have ended, as long as the server keeps them. */
  ended: Record<EndOfUpgrade, number>;
  /** Of installations where no upgrade that runs tells what it has begun: it has ended, or cannot be asked. */
  ledgers: Asked<Ledger>[];
  fleets: Running<FleetStatus>[];
  tokens: Pick<ConsentStatus, 'provider' | 'expiresAt' | 'test'>[];
  notices: { waiting: number; failed: number };
  queues: SeenQueue[];
  /** Guards of consents whose status cannot be read. */
  unreadable: number;
  /** What of this could not be seen in this look, and why. */
  problems: string[];
}

/** `other`: terminated, timed out, or failed in another way than an upgrade does. */
export const ENDS = ['completed', 'rolledBack', 'rollbackIncomplete', 'refused', 'other'] as const;
export type EndOfUpgrade = (typeof ENDS)[number];
