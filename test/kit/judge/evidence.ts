/** Gathers what the invariants of an upgrade are judged by, from Temporal's history, the workflow's queries and the sandbox. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { temporal } from '@temporalio/proto';
import { FLEET_SIGNAL } from '../../../src/contract/fleet';
import { QUERY, inPages, type AuditEntry, type UpgradeResult, type UpgradeStatus } from '../../../src/contract/status';
import { isOpen } from '../../../src/sandbox/world/state';
import { hostWorkDirectory } from '../../../src/sandbox/hosts/disk';
import type { JournalEntry } from '../../../src/sandbox/journal';
import type { Sandbox, SandboxState } from '../../../src/sandbox/server';
import { resetProblem } from '../../../src/systems/endpoint/upgrade-records';
import type { ResetDone } from '../../../src/systems/endpoint/scripts';
import { ask } from '../handles/ask';
import type { Evidence, HostRecord, RecordedMessage, RunEvidence, ScheduledActivity } from './invariants';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** The audit trail keeps so much of a name. */
const LONGEST_NAME = 200;

/** One run: what Temporal has recorded, and what the workflow answers. */
export async function evidenceOfRun(
  client: Client,
  handle: WorkflowHandle,
  { before, begunAt }: { before: SandboxState; begunAt?: string },
): Promise<RunEvidence> {
  const described = await handle.describe();
  const startedAt = described.startTime.toISOString();
  const { events } = await handle.fetchHistory();
  const history = events ?? [];
  const status = await ask<UpgradeStatus>(client, handle, QUERY.status);
  const audit = await inPages((skip) => ask<AuditEntry[]>(client, handle, QUERY.audit, skip));
  const decode = decoderOf(client, handle);
  const result = await resultIn(history, decode);
  return {
    startedAt,
    begunAt: begunAt ?? startedAt,
    ...(described.closeTime === undefined ? {} : { closedAt: described.closeTime.toISOString() }),
    closed: described.status.name,
    before,
    status,
    ...(result === undefined ? {} : { result }),
    audit,
    messages: await messagesIn(history, decode),
    activities: await activitiesIn(history, decode),
    historyLength: described.historyLength,
    notices: noticesIn(history),
    defects: defectsIn(history),
    pending: pendingIn(described.raw),
    stored: textsIn(history),
  };
}

/** What a run has begun, also where it says nothing of itself. */
export async function begunBy(client: Client, handle: WorkflowHandle): Promise<ScheduledActivity[]> {
  const { events } = await handle.fetchHistory();
  return await activitiesIn(events ?? [], decoderOf(client, handle));
}

function decoderOf({ options }: Client, { workflowId }: WorkflowHandle): Decode {
  const { namespace, loadedDataConverter } = options;
  const owner = { type: 'workflow', namespace, workflowId } as const;
  return (payloads) => decodeArrayFromPayloads(loadedDataConverter, payloads?.payloads, owner);
}

/** What was gathered of a run, piece by piece, is of one moment only where the run has stood still meanwhile. */
export async function hasMoved(handle: WorkflowHandle, seen: RunEvidence): Promise<'on' | 'toItsEnd' | undefined> {
  if (seen.closed !== 'RUNNING') return undefined;
  const { status, historyLength } = await handle.describe();
  if (status.name !== 'RUNNING') return 'toItsEnd';
  return historyLength === seen.historyLength ? undefined : 'on';
}

/** Everything about one provider; `runs` in the order of their start. */
export async function evidenceOf(
  sandbox: Sandbox,
  provider: string,
  {
    after: earlier = 0,
    begunInSilence = [],
    ...found
  }: Pick<Evidence, 'runs' | 'tasksAtStart' | 'verifiesConsent' | 'seed'> & {
    begunInSilence?: Evidence['begunInSilence'];
    /** So many entries of the journal belong to an upgrade before this one. */
    after?: number;
  },
): Promise<Evidence> {
  const after = await sandbox.state(provider);
  const since = sandbox.journal.entries()[earlier - 1]?.at ?? '';
  const world = sandbox.world.provider(provider);
  const hosts = [...new Set(world.gateways.map(({ host }) => host))];
  const machines = hosts.flatMap((host) => [host, ...sandbox.hosts.clonesOf(host)]);
  return {
    ...found,
    begunInSilence,
    provider,
    after,
    journal: journalOf(sandbox, provider, machines, earlier),
    versions: sandbox.world.versions.all,
    office365Tasks: world.tasks.filter(isOffice365).map(({ id }) => id),
    instances: world.instances.map(({ instanceId, cloud, resourceId, gateway }) => ({
      id: instanceId,
      cloud,
      resourceId,
      host: world.gateways[gateway]?.host ?? '',
    })),
    resets: hosts.flatMap((host) => resetsOn(sandbox.dataDirectory, host, provider)).filter(({ at }) => at > since),
    records: hosts.flatMap((host) => recordsOn(sandbox.dataDirectory, host)),
    addresses: [sandbox.urls.operations(provider), sandbox.urls.aps(provider), sandbox.urls.billing(provider)],
    secrets: [
      ...[world.operationsLogin?.password, world.billingLogin?.password],
      ...world.instances.flatMap(({ refreshToken, foreignToken }) => [refreshToken?.value, foreignToken?.value]),
    ].filter((secret) => secret !== undefined),
  };
}

/** Ids of the tasks that have to be processed before anything is disrupted. */
export function openTasks(sandbox: Sandbox, provider: string): number[] {
  const { tasks } = sandbox.world.provider(provider);
  return tasks.filter((task) => isOffice365(task) && isOpen(task)).map(({ id }) => id);
}

const isOffice365 = ({ name, periodic }: { name: string; periodic: boolean }): boolean =>
  !periodic && /office/i.test(name);

/** A host's entries name the provider where only one has sites on it. */
function journalOf(sandbox: Sandbox, provider: string, hosts: string[], earlier: number): JournalEntry[] {
  const others = sandbox.world.providers().filter(({ id }) => id !== provider);
  const shared = new Set(others.flatMap(({ gateways }) => gateways.map(({ host }) => host)));
  return sandbox.journal
    .entries()
    .filter(({ seq }) => seq > earlier)
    .filter((entry) => entry.provider === provider || (entry.host !== undefined && hosts.includes(entry.host)))
    .map((entry) => (entry.provider === undefined && !shared.has(entry.host ?? '') ? { ...entry, provider } : entry));
}

/** The restarts that the scripts of the provider's operations have recorded as done on the host's disk. */
function resetsOn(dataDirectory: string, host: string, provider: string): Evidence['resets'] {
  const records = path.join(hostWorkDirectory(path.resolve(dataDirectory, 'hosts'), host), 'records');
  if (!existsSync(records)) return [];
  return readdirSync(records, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.reset.json'))
    .map((name) => JSON.parse(readFileSync(path.join(records, name), 'utf8')) as RecordedReset)
    .filter((reset) => reset.operation.startsWith(`${provider}/`) && resetProblem(reset) === undefined)
    .map(({ operation, at, covers }) => ({ host, operation, at, covers }));
}
type RecordedReset = ResetDone & { operation: string; at: string };

const KINDS: [suffix: string, kind: HostRecord['kind']][] = [
  ['.setup-started.json', 'setupStarted'],
  ['.setup-ended.json', 'setupEnded'],
  ['.reset.json', 'reset'],
  ['.restored.json', 'restored'],
];
type Recorded = Pick<HostRecord, 'operation' | 'at'> & { site?: string; application?: string };

/** Everything that operations keep on the host's disk, whoever's they are. */
function recordsOn(dataDirectory: string, host: string): HostRecord[] {
  const directory = hostWorkDirectory(path.resolve(dataDirectory, 'hosts'), host);
  const read = (folder: string, name: string, kind: HostRecord['kind']): HostRecord => {
    const { operation, at, site, application } = JSON.parse(
      readFileSync(path.join(directory, folder, name), 'utf8'),
    ) as Recorded;
    return { host, folder, kind, operation, at, ...(site === undefined ? {} : { object: `${site}/${application}` }) };
  };
  const records = foldersIn(directory, 'records').flatMap((folder) =>
    readdirSync(path.join(directory, folder)).flatMap((name) =>
      KINDS.filter(([suffix]) => name.endsWith(suffix)).map(([, kind]) => read(folder, name, kind)),
    ),
  );
  const backups = foldersIn(directory, 'backups')
    .filter((folder) => existsSync(path.join(directory, folder, 'files.json')))
    .map((folder) => read(folder, 'files.json', 'backup'));
  return [...records, ...backups];
}

function foldersIn(directory: string, name: string): string[] {
  const folder = path.join(directory, name);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(name, entry.name));
}

type Decode = (payloads: Payloads) => Promise<unknown[]>;

async function resultIn(events: HistoryEvent[], decode: Decode): Promise<UpgradeResult | undefined> {
  const completed = events.at(-1)?.workflowExecutionCompletedEventAttributes;
  const [result] = await decode(completed?.result);
  return result as UpgradeResult | undefined;
}

async function messagesIn(events: HistoryEvent[], decode: Decode): Promise<RecordedMessage[]> {
  const found: RecordedMessage[] = [];
  for (const {
    workflowExecutionSignaledEventAttributes: signal,
    workflowExecutionUpdateAcceptedEventAttributes: update,
  } of events) {
    const sent = signal
      ? { channel: 'signal' as const, name: signal.signalName, payloads: signal.input }
      : update
        ? {
            channel: 'update' as const,
            name: update.acceptedRequest?.input?.name,
            payloads: update.acceptedRequest?.input?.args,
          }
        : undefined;
    // What a wave tells its upgrades is said by no person.
    if (!sent || sent.name === FLEET_SIGNAL.memberOrders) continue;
    // Somebody may have sent what nobody can read.
    const [payload] = await decode(sent.payloads).catch((): unknown[] => []);
    found.push({ channel: sent.channel, name: sent.name ?? '', by: senderOf(payload) });
  }
  return found;
}

function senderOf(payload: unknown): string {
  const by = payload !== null && typeof payload === 'object' && 'by' in payload ? payload.by : undefined;
  if (typeof by !== 'string' || by.trim() === '') return 'unknown';
  return by.length > LONGEST_NAME ? `${by.slice(0, LONGEST_NAME)}…` : by;
}

async function activitiesIn(events: HistoryEvent[], decode: Decode): Promise<ScheduledActivity[]> {
  const found: ScheduledActivity[] = [];
  for (const { activityTaskScheduledEventAttributes: scheduled } of events) {
    if (!scheduled) continue;
    const [input] = await decode(scheduled.input);
    found.push({ name: scheduled.activityType?.name ?? '', input });
  }
  return found;
}

/** Notices are activities; the last one is a workflow of its own. */
function noticesIn(events: HistoryEvent[]): number {
  return events.filter(
    ({ activityTaskScheduledEventAttributes: activity, startChildWorkflowExecutionInitiatedEventAttributes: child }) =>
      child?.workflowType?.name === 'deliverNotice' || activity?.activityType?.name === 'notify',
  ).length;
}

/** Somebody has reset the workflow: no failure of ours. */
const RESET = temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW;
/** The server's own reasons: a lost worker, an overtaken task. */
const SERVERS_OWN = /UnhandledCommand|reset sticky/i;
/** Workflow tasks that failed because of our code. */
function defectsIn(events: HistoryEvent[]): string[] {
  return events.flatMap(({ workflowTaskFailedEventAttributes: failed }) => {
    const message = failed?.failure?.message;
    return !message || failed.cause === RESET || SERVERS_OWN.test(message) ? [] : [message];
  });
}

function pendingIn(described: temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse): string[] {
  return [
    ...(described.pendingActivities ?? []).map(({ activityType }) => `activity ${activityType?.name ?? ''}`),
    ...(described.pendingWorkflowTask ? ['workflow task'] : []),
  ];
}

/** Every text in a message of Temporal's, payloads included. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
