/** What the commands ask of a Temporal server: everything about upgrades, nothing about Temporal. */
import type { Messages } from '../../contract/messages';
import type { PreflightInput, PreflightReport } from '../../contract/preflight';
import type { UpgradeInput } from '../../contract/upgrade-input';
import type { FrozenProfile } from '../../contract/entry';
import type { AuditEntry, UpgradePlan, UpgradeResult, UpgradeStatus } from '../../contract/status';
import { withConnection, type CliContext, type GlobalOptions } from '../kit/context';
import type { ExecutionStatus, WorkflowView } from '../kit/execution';
import type { Mailbox } from '../kit/messages/mailbox';
import type { UpgradeKey } from './messages';

/** What the server itself knows of one upgrade, also while no worker is up: its search attributes. Times are ISO 8601. */
export interface UpgradeSummary {
  provider: string;
  workflowId: string;
  runId: string;
  execution: ExecutionStatus;
  startedAt: string;
  closedAt?: string | undefined;
  /** `18.3 -> 18.4.1` as the search attribute has it. */
  path?: string | undefined;
  /** One of `UPGRADE_STATES`, once the workflow has begun. */
  state?: string | undefined;
  step?: string | undefined;
  crossed?: boolean | undefined;
  openGates?: number | undefined;
}

export type UpgradeView = WorkflowView<UpgradeStatus>;

/** One activity of the upgrade, as the workflow's history has it. Times are ISO 8601. */
export interface Action {
  name: string;
  summary?: string | undefined;
  taskQueue: string;
  scheduledAt: string;
  startedAt?: string | undefined;
  endedAt?: string | undefined;
  outcome: 'running' | 'completed' | 'failed' | 'timedOut' | 'cancelled';
  attempts: number;
  /** Process that ran the last attempt. */
  worker?: string | undefined;
  /** Why it failed, or why the last attempt but one did. */
  failure?: string | undefined;
}

/** What the history of one upgrade holds that its queries do not tell. */
export interface UpgradeHistory {
  workflowId: string;
  runId: string;
  execution: ExecutionStatus;
  startedAt: string;
  closedAt?: string | undefined;
  input: unknown;
  /** The inventory entry as it was frozen at the start; undefined when it could not be loaded. */
  profile?: FrozenProfile | undefined;
  actions: Action[];
  result?: UpgradeResult | undefined;
  failure?: { type: string; message: string } | undefined;
  historyEvents: number;
  temporalServer?: string | undefined;
  /** Name and version of every SDK whose worker took part, `temporal-typescript 1.24.0`. */
  sdks: string[];
}

/**
 * Every method fails with a {@link CliError}: `notFound` when there is no such upgrade, `unreachable` when the server does not
 * answer, `noWorker` when it does but no worker answers, `refused` when the upgrade says no.
 */
export interface Upgrades {
  start(input: UpgradeInput): Promise<{ workflowId: string; runId: string }>;
  /**
   * Looks at the provider as the preflight of an upgrade would, and changes nothing.
   * @param waitsFor is told whenever it is something else that has not answered yet.
   * @param stop the look, when nobody waits for it any more.
   */
  lookBefore(input: PreflightInput, waitsFor: (what: string[]) => void, stop: AbortSignal): Promise<PreflightReport>;
  view(provider: string): Promise<UpgradeView>;
  plan(provider: string): Promise<UpgradePlan>;
  audit(provider: string): Promise<AuditEntry[]>;
  summary(provider: string): Promise<UpgradeSummary>;
  /** Every upgrade whose workflow is running, in the order of their ids. */
  running(): Promise<UpgradeSummary[]>;
  record(provider: string): Promise<UpgradeHistory>;
  readonly messages: Mailbox<UpgradeKey, Messages>;
  close(): Promise<void>;
}

export interface UpgradeContext extends CliContext {
  connectUpgrades(options: GlobalOptions): Promise<Upgrades>;
}

export function withUpgrades<T>(
  context: UpgradeContext,
  options: GlobalOptions,
  run: (upgrades: Upgrades) => Promise<T>,
): Promise<T> {
  return withConnection(context.connectUpgrades(options), run);
}
