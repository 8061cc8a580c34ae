/** What the exporter sees in one look at the server. */
import type { ConsentStatus } from '../../../contract/consent';
import type { FleetStatus } from '../../../contract/fleet';
import type { UpgradeStatus } from '../../../contract/status';

/** An upgrade or a fleet that runs. The server knows state and step by itself; the details only a worker tells. */
export interface Running<Status> {
  runId: string;
  /** Of the provider or the fleet. */
  name: string;
  state: string;
  step: string;
  /** As a worker has told them last; undefined until one has. */
  details: Status | undefined;
  /** No worker answered in this look, so the details may be old. */
  silent: boolean;
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
  fleets: Running<FleetStatus>[];
  tokens: Pick<ConsentStatus, 'provider' | 'expiresAt' | 'test'>[];
  notices: { waiting: number; failed: number };
  queues: SeenQueue[];
}

/** `other`: terminated, timed out, or failed in another way than an upgrade does. */
export const ENDS = ['completed', 'rolledBack', 'rollbackIncomplete', 'refused', 'other'] as const;
export type EndOfUpgrade = (typeof ENDS)[number];
