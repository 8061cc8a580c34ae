/** Everything that happened to one provider, as one document to hand over. */
import { createHash } from 'node:crypto';
import type { FrozenProfile } from '../../contract/entry';
import type { AuditEntry, CheckResult, StepStatus, UpgradeResult, UpgradeStatus } from '../../contract/status';
import type { ExecutionStatus } from '../kit/execution';
import { elapsed } from '../kit/text/duration';
import type { Action, UpgradeHistory } from './upgrades';

export interface EvidencePack {
  format: 'onward-evidence/1';
  generatedAt: string;
  provider: string;
  workflowId: string;
  runId: string;
  path?: { from: string; to: string } | undefined;
  /** Names the upgrade in records, backups and claims. */
  operation?: string | undefined;
  state: UpgradeStatus['state'];
  execution: ExecutionStatus;
  startedAt: string;
  startedBy?: string | undefined;
  crossedAt?: string | undefined;
  endedAt?: string | undefined;
  /** Seconds from the start to the end, or to now. */
  durationSeconds: number;
  steps: (StepStatus & { durationSeconds?: number })[];
  checks: CheckResult[];
  /** What people said, accepted or refused, in order. */
  answers: AuditEntry[];
  /** Steps that failed and held, and what was decided. */
  holds: AuditEntry[];
  /** Activities, in the order in which they were scheduled. */
  actions: Action[];
  /** The whole trail, which `answers` and `holds` are taken from. */
  audit: AuditEntry[];
  inputs: {
    workflow: unknown;
    /** SHA-256 of the frozen inventory entry as JSON with sorted keys, before anything was masked. */
    profileSha256?: string | undefined;
    /** Secrets are references; whatever a URL carries besides its address is masked. */
    profile?: FrozenProfile | undefined;
  };
  versions: { onward: string; temporalServer?: string | undefined; sdks: string[]; package?: string | undefined };
  historyEvents: number;
  notUndone: string[];
  /** What lasting steps have left behind. */
  kept: string[];
  /** What is off now, and for how long each was off that is on again, in seconds. */
  switchedOff: UpgradeStatus['switchedOff'];
  switchedOffSeconds: Record<string, number>;
  result?: UpgradeResult | undefined;
  failure?: { type: string; message: string } | undefined;
}

export function evidencePack(
  status: UpgradeStatus,
  audit: AuditEntry[],
  record: UpgradeHistory,
  { now, onwardVersion }: { now: Date; onwardVersion: string },
): EvidencePack {
  const { profile } = record;
  const endedAt = status.endedAt ?? record.closedAt;
  return {
    format: 'onward-evidence/1',
    generatedAt: now.toISOString(),
    provider: status.provider,
    workflowId: record.workflowId,
    runId: record.runId,
    path: status.path,
    operation: status.operation,
    state: status.state,
    execution: record.execution,
    startedAt: status.startedAt,
    startedBy: status.startedBy,
    crossedAt: status.crossedAt,
    endedAt,
    durationSeconds: seconds(status.startedAt, endedAt, now),
    steps: status.steps.map((step) =>
      step.startedAt === undefined
        ? step
        : { ...step, durationSeconds: seconds(step.startedAt, step.endedAt ?? endedAt, now) },
    ),
    checks: status.checks,
    answers: audit.filter(isAnswer),
    holds: audit.filter(({ what }) => what === 'hold' || what.endsWith(':resolveHold')),
    actions: record.actions,
    audit,
    inputs: {
      workflow: record.input,
      profileSha256: profile && sha256(sortedJson(profile)),
      profile: profile && (mapTexts(profile, maskUrl) as FrozenProfile),
    },
    versions: {
      onward: onwardVersion,
      temporalServer: record.temporalServer,
      sdks: record.sdks,
      package: record.result?.packageVersion,
    },
    historyEvents: record.historyEvents,
    notUndone: status.notUndone,
    kept: status.kept,
    switchedOff: status.switchedOff,
    switchedOffSeconds: status.switchedOffSeconds,
    result: record.result,
    failure: record.failure,
  };
}

/** Said by a person, through a signal, an update or the cancellation of the workflow. */
export const isAnswer = ({ what }: AuditEntry): boolean => /^(signal|update):|^cancel$/.test(what);

const seconds = (from: string, to: string | undefined, now: Date): number => elapsed(from, to, now) / 1000;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((inner) => mapTexts(inner, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapTexts(inner, change)]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A URL may carry a password or an access token: the pack leaves the house, so only the address stays. */
function maskUrl(text: string): string {
  if (!/^https?:/i.test(text) || !URL.canParse(text)) return text;
  const url = new URL(text);
  if (url.username === '' && url.password === '' && url.search === '' && url.hash === '') return text;
  const masked = url.search === '' && url.hash === '' ? '' : '?***';
  return `${url.protocol}//${url.username === '' && url.password === '' ? '' : '***@'}${url.host}${url.pathname}${masked}`;
}
