/** Gathers what the rules of a fleet are judged by: the sandbox's journal, and what Temporal has recorded of all its workflows. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import type { temporal } from '@temporalio/proto';
import {
  FLEET_SIGNAL,
  type FleetProvider,
  type FleetStatus,
  type MemberOrders,
  type MemberReport,
  type WaveOrders,
} from '../../../src/contract/fleet';
import { upgradeWorkflowId } from '../../../src/contract/provider';
import type { AuditEntry } from '../../../src/contract/status';
import type { JournalEntry } from '../../../src/sandbox/journal';
import type { Sandbox } from '../../../src/sandbox/server';
import type { Fleet } from '../handles/fleet';

type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

/** What a part of a wave heard and did, in its order. Times are ISO 8601. */
export type PartEvent = { at: string } & (
  | { kind: 'orders'; orders: WaveOrders }
  | { kind: 'report'; report: MemberReport }
  | { kind: 'start'; provider: string }
);

/** What an upgrade said to its wave and heard of it, in its order. */
export type MemberEvent = { at: string } & (
  { kind: 'orders'; orders: MemberOrders } | { kind: 'report'; report: MemberReport }
);

export interface PartEvidence {
  wave: number;
  events: PartEvent[];
}

export interface MemberEvidence {
  provider: string;
  hosts: string[];
  /** What the fleet says of it. */
  shown: FleetProvider;
  /** The upgrade that the fleet has started. */
  run?: { startedAt: string; closedAt?: string; closed: string; events: MemberEvent[] };
}

export interface FleetEvidence {
  /** As it was started. */
  maxParallel: number;
  budget: { wave: number; run: number };
  status: FleetStatus;
  audit: AuditEntry[];
  /** In the order of the waves. */
  parts: PartEvidence[];
  members: MemberEvidence[];
  /** Of everybody in the sandbox. */
  journal: JournalEntry[];
}

export async function evidenceOfFleet(
  client: Client,
  sandbox: Sandbox,
  fleet: Fleet,
  limits: Pick<FleetEvidence, 'maxParallel' | 'budget'>,
): Promise<FleetEvidence> {
  const records = new Records(client);
  const status = await fleet.status();
  const parts = await evidenceOfParts(client, status);
  const members: MemberEvidence[] = [];
  for (const shown of await fleet.providers()) {
    const { provider } = shown;
    const hosts = [...new Set(sandbox.world.provider(provider).gateways.map(({ host }) => host))];
    const run = shown.startedAt === undefined ? undefined : await records.ofMember(provider);
    members.push({ provider, hosts, shown, ...(run ? { run } : {}) });
  }
  return { ...limits, status, audit: await fleet.audit(), parts, members, journal: sandbox.journal.entries() };
}

/** In the order of the waves. */
export async function evidenceOfParts(client: Client, { waves }: FleetStatus): Promise<PartEvidence[]> {
  const records = new Records(client);
  const parts: PartEvidence[] = [];
  for (const { wave, parts: ids } of waves)
    for (const id of ids) parts.push({ wave, events: partEvents(await records.of(id)) });
  return parts;
}

/** One event, with what it carries. */
interface Recorded {
  at: string;
  run: string;
  event: HistoryEvent;
  payload: unknown;
}

class Records {
  constructor(private readonly client: Client) {}

  async ofMember(provider: string): Promise<MemberEvidence['run']> {
    const { status, startTime, closeTime } = await this.client.workflow
      .getHandle(upgradeWorkflowId(provider))
      .describe();
    return {
      startedAt: startTime.toISOString(),
      ...(closeTime ? { closedAt: closeTime.toISOString() } : {}),
      closed: status.name,
      events: memberEvents(await this.of(upgradeWorkflowId(provider))),
    };
  }

  /** Over all runs that continued as the next, the first one first. */
  async of(workflowId: string): Promise<Recorded[]> {
    const recorded: Recorded[] = [];
    for (let runId: string | undefined = ''; runId !== undefined;) {
      const { events } = await this.client.workflow.getHandle(workflowId, runId || undefined).fetchHistory();
      const run = await Promise.all((events ?? []).map((event) => this.read(event, runId ?? '')));
      recorded.unshift(...run);
      runId = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
    }
    return recorded;
  }

  private async read(event: HistoryEvent, run: string): Promise<Recorded> {
    const { seconds, nanos } = event.eventTime ?? {};
    const at = new Date(Number(seconds ?? 0) * 1000 + Math.floor((nanos ?? 0) / 1e6)).toISOString();
    const input =
      event.workflowExecutionSignaledEventAttributes?.input ??
      event.signalExternalWorkflowExecutionInitiatedEventAttributes?.input;
    const [payload] = await decodeArrayFromPayloads(this.client.options.loadedDataConverter, input?.payloads);
    return { at, run, event, payload };
  }
}

function partEvents(recorded: Recorded[]): PartEvent[] {
  const upgrade = upgradeWorkflowId('');
  const refused = new Set(
    recorded.map(
      ({ run, event }) => `${run} ${String(event.startChildWorkflowExecutionFailedEventAttributes?.initiatedEventId)}`,
    ),
  );
  return recorded.flatMap(({ at, run, event, payload }): PartEvent[] => {
    const signal = event.workflowExecutionSignaledEventAttributes?.signalName;
    if (signal === FLEET_SIGNAL.orders) return [{ at, kind: 'orders', orders: payload as WaveOrders }];
    if (signal === FLEET_SIGNAL.memberReport) return [{ at, kind: 'report', report: payload as MemberReport }];
    const child = event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId;
    if (!child?.startsWith(upgrade) || refused.has(`${run} ${String(event.eventId)}`)) return [];
    return [{ at, kind: 'start', provider: child.slice(upgrade.length) }];
  });
}

function memberEvents(recorded: Recorded[]): MemberEvent[] {
  return recorded.flatMap(({ at, event, payload }): MemberEvent[] => {
    if (event.workflowExecutionSignaledEventAttributes?.signalName === FLEET_SIGNAL.memberOrders)
      return [{ at, kind: 'orders', orders: payload as MemberOrders }];
    if (event.signalExternalWorkflowExecutionInitiatedEventAttributes?.signalName === FLEET_SIGNAL.memberReport)
      return [{ at, kind: 'report', report: payload as MemberReport }];
    return [];
  });
}
