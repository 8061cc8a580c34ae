/** One fleet as people see it: the answers of its queries, its search attributes and its current details. */
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { FleetPlan, FleetStatus, WaveStatus } from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import { fleetAttribute, openGatesAttribute, stateAttribute } from '../../src/temporal/search-attributes';
import { PATHS } from '../paths';
import { plannedPath, plannedReading } from '../pipeline/planned-steps';
import { now } from '../pipeline/upgrade-record';
import { preflight } from '../steps/preflight';
import { asks } from './advance';
import { fleetDetails } from './fleet-details';
import { budgetOf, countsOf, measuredOf, partsOf, publicState, total, type FleetState } from './fleet-state';

/** The trail is handed on from run to run. Of what was refused, and of all else, the newest so many entries stay. */
const MAX_ENTRIES = 200;
const MAX_REFUSALS = 50;

export class FleetRecord {
  private shownState = workflowInfo().typedSearchAttributes.get(stateAttribute);
  private shownAsks = workflowInfo().typedSearchAttributes.get(openGatesAttribute);

  constructor(readonly state: FleetState) {}

  status(): FleetStatus {
    const { state } = this;
    const { request, startedAt, endedAt, maxParallel, paused, auditEntries, leftOut, parts, waves = [] } = state;
    const asked = this.asks();
    return {
      fleet: request.name,
      workflowId: workflowInfo().workflowId,
      state: publicState(state),
      startedAt,
      startedBy: request.startedBy,
      ...(endedAt === undefined ? {} : { endedAt }),
      maxParallel,
      counts: countsOf(parts),
      leftOut: total(leftOut, ({ providers }) => providers.length),
      budget: budgetOf(state),
      waves: waves.map((_, index) => this.wave(index + 1)),
      ...(paused ? { paused } : {}),
      ...(asked ? { asks: asked } : {}),
      measured: measuredOf(state),
      auditEntries,
    };
  }

  plan(): FleetPlan {
    const { request, waves, leftOut } = this.state;
    return {
      fleet: request.name,
      request,
      ...(waves
        ? {
            waves: waves.map((_, index) => {
              const parts = partsOf(this.state, index + 1);
              return {
                wave: index + 1,
                providers: total(parts, ({ providers }) => providers),
                parts: parts.map(({ workflowId }) => workflowId),
              };
            }),
          }
        : {}),
      leftOut,
      paths: PATHS.map((path) => ({
        from: path.from,
        to: path.to,
        steps: [...plannedReading([preflight]), ...plannedPath(path)],
      })),
    };
  }

  write(entry: Omit<AuditEntry, 'at'>): void {
    const { audit } = this.state;
    audit.push({ at: now(), ...entry });
    this.state.auditEntries += 1;
    const refused = entry.verdict === 'refused';
    const alike = audit.filter(({ verdict }) => (verdict === 'refused') === refused);
    const [oldest] = alike;
    if (oldest && alike.length > (refused ? MAX_REFUSALS : MAX_ENTRIES)) audit.splice(audit.indexOf(oldest), 1);
  }

  /** Shows what is known now; each change of a search attribute is an event of history. */
  publish(): void {
    const status = this.status();
    setCurrentDetails(fleetDetails(status));
    const asksFor = status.asks ? 1 : 0;
    if (status.state !== this.shownState || asksFor !== this.shownAsks)
      upsertSearchAttributes([
        { key: fleetAttribute, value: status.fleet },
        { key: stateAttribute, value: status.state },
        { key: openGatesAttribute, value: asksFor },
      ]);
    this.shownState = status.state;
    this.shownAsks = asksFor;
  }

  private wave(wave: number): WaveStatus {
    const parts = partsOf(this.state, wave);
    const progress = this.state.waves?.[wave - 1];
    const { startedAt, endedAt } = progress ?? {};
    return {
      wave,
      state: progress?.state ?? 'pending',
      parts: parts.map(({ workflowId }) => workflowId),
      counts: countsOf(parts),
      budget: budgetOf(this.state, wave),
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(endedAt === undefined ? {} : { endedAt }),
    };
  }

  private asks(): FleetStatus['asks'] {
    const what = asks(this.state);
    const { asksSince, halted, waves = [] } = this.state;
    if (what === undefined) return undefined;
    const since = asksSince ?? now();
    const reasoned = { by: '<who>', reason: '<why>' };
    const wave = waves.findIndex(({ state }) => state === 'waiting') + 1;
    switch (what) {
      case 'plan':
        return {
          what,
          since,
          problem: 'The plan waits for an approval.',
          answer: { name: 'proceed', payload: reasoned },
        };
      case 'wave':
        return {
          what,
          since,
          problem: `Wave ${wave} waits for an approval.`,
          answer: { name: 'proceed', payload: reasoned },
        };
      case 'budget':
        return {
          what,
          since,
          problem: halted?.problem ?? 'The budget is spent.',
          answer: {
            name: 'decideBudget',
            payload: { action: '<continue | skipRest | stop>', wave: '<new budget>', run: '<new budget>', ...reasoned },
          },
        };
    }
  }
}
