/** Before anything starts: who is selected, what they run, who is left out, and in which wave everybody else is. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ApplicationFailure, ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';
import { FAILURE, type Surveyed } from '../../src/contract/activities';
import { waveWorkflowId, type FleetCounts, type FleetRequest, type WaveInput } from '../../src/contract/fleet';
import { fleetAttribute, stateAttribute, waveAttribute } from '../../src/temporal/search-attributes';
import type { Catalogue } from '../engine/catalogue';
import { fleets } from '../kit/activities';
import { settleAll } from '../kit/settle-all';
import { tooLarge } from './capacity';
import type { FleetProgress } from './fleet-state';
import { LeftOutList, judgeSurveyed } from './judge-survey';
import { partition, type Target } from './partition';

/** One result of the survey is far below 512 KiB, and several workers can share the work. */
const SURVEYED_AT_ONCE = 50;
const SURVEYS_SIDE_BY_SIDE = 4;
const STARTED_SIDE_BY_SIDE = 10;

/** Leaves the waves undefined where somebody has aborted the fleet meanwhile. */
export async function planFleet(fleet: FleetProgress, catalogue: Catalogue): Promise<void> {
  const { request } = fleet;
  const leftOut = new LeftOutList();
  const selected = await select(request, leftOut);
  const targets: Target[] = [];
  for (const surveyed of await survey(selected, () => fleet.aborted !== undefined)) {
    const judged = judgeSurveyed(surveyed, request, catalogue);
    if ('target' in judged) targets.push(judged.target);
    else leftOut.add(surveyed.provider, judged.reason, judged.detail);
  }
  const { waves, left } = partition(targets, request.waves);
  for (const { provider } of left) leftOut.add(provider, 'no wave is left for it: end the waves with "rest"');
  fleet.leftOut = leftOut.list();
  if (fleet.aborted) return;
  const problem = tooLarge(fleet, waves.flat().length);
  if (problem !== undefined)
    throw ApplicationFailure.nonRetryable(`The fleet cannot start: ${problem}.`, FAILURE.invalidInput);

  await sideBySide(
    STARTED_SIDE_BY_SIDE,
    waves.flatMap((parts, wave) => parts.map((part, index) => ({ wave: wave + 1, part: index + 1, providers: part }))),
    async ({ wave, part, providers }) => await startPart(fleet, wave, part, providers),
  );
  fleet.parts.sort((a, b) => a.wave - b.wave);
  fleet.ways = waysOf(waves.flat(2));
  fleet.waves = waves.map((_, index) => ({
    state: 'pending',
    approved: !request.approval.waves && !(request.approval.plan && index === 0),
  }));
}

async function select({ providers: selector }: FleetRequest, leftOut: LeftOutList): Promise<string[]> {
  const selected: string[] = [];
  for (let more = true; more;) {
    const after = selected.at(-1);
    const chunk = await fleets.selectProviders('select providers of the inventory', {
      selector,
      ...(after === undefined ? {} : { after }),
    });
    selected.push(...chunk.providers);
    for (const { provider, problem } of chunk.invalid)
      leftOut.add(provider, 'its entry in the inventory cannot be used', problem);
    more = chunk.more;
  }
  if (selected.length > 0) return selected;
  throw ApplicationFailure.nonRetryable(
    'The fleet cannot start: no usable entry of the inventory fits what "providers" says.',
    FAILURE.invalidInput,
  );
}

async function survey(selected: string[], stopped: () => boolean): Promise<Surveyed[]> {
  const chunks: string[][] = [];
  for (let from = 0; from < selected.length; from += SURVEYED_AT_ONCE)
    chunks.push(selected.slice(from, from + SURVEYED_AT_ONCE));
  const surveyed = await sideBySide(SURVEYS_SIDE_BY_SIDE, chunks, async (providers, index) =>
    stopped()
      ? []
      : await fleets.surveyProviders(
          `look at providers ${index * SURVEYED_AT_ONCE + 1} to ${index * SURVEYED_AT_ONCE + providers.length}`,
          { providers },
        ),
  );
  return surveyed.flat();
}

async function startPart(fleet: FleetProgress, wave: number, part: number, targets: Target[]): Promise<void> {
  const { name, startedBy, parkAfter, maintenance, historyLimit } = fleet.request;
  const workflowId = waveWorkflowId(name, wave, part);
  const input: WaveInput = {
    fleet: name,
    wave,
    part,
    startedBy,
    parkAfter,
    ...(maintenance ? { maintenance } : {}),
    ...(historyLimit === undefined ? {} : { historyLimit }),
    providers: targets.map(({ provider, name: called, from, to }) => ({
      provider,
      from,
      to,
      ...(called === undefined ? {} : { name: called }),
    })),
  };
  const orders = { slots: 0, mayBreak: 0, looks: 0 };
  fleet.parts.push({ workflowId, firstRun: '', wave, providers: targets.length, orders });
  try {
    const { firstExecutionRunId } = await startChild<(input: WaveInput) => Promise<FleetCounts>>('upgradeWave', {
      workflowId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `Wave ${wave} of ${name}, part ${part}: ${targets.length} providers`,
      typedSearchAttributes: [
        { key: fleetAttribute, value: name },
        { key: waveAttribute, value: wave },
        { key: stateAttribute, value: 'pending' },
      ],
    });
    const started = fleet.parts.find((candidate) => candidate.workflowId === workflowId);
    if (started) started.firstRun = firstExecutionRunId;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    fleet.parts = fleet.parts.filter((candidate) => candidate.workflowId !== workflowId);
    throw ApplicationFailure.nonRetryable(
      `${workflowId} still runs: it is left of an earlier fleet of this name. Let it end or terminate it, or give this fleet another name.`,
      FAILURE.invalidInput,
    );
  }
}

function waysOf(targets: readonly Target[]): { from: string; to: string }[] {
  const ways = new Map(targets.map(({ from, to }) => [`${from} -> ${to}`, { from, to }]));
  return [...ways.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, way]) => way);
}

/** Work on all items, in their order, so many at once. */
async function sideBySide<Item, Result>(
  atOnce: number,
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await work(item, index);
    }
  };
  await settleAll(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
