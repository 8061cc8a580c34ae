/**
 * The largest provider that one upgrade takes (src/contract/limits), against the sandbox: one with so many application instances, each
 * with a gate; the same with the adapter `microsoft`, each with three; and one with so many templates. What grows with it is measured; what must not grow is a target.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { LIMITS } from '../src/contract/limits';
import { runOperator } from '../src/sandbox/operator';
import type { ProviderOptions } from '../src/sandbox/world/spec';
import { decodeResponse, encodeResponse } from '../src/systems/xmlrpc';
import type { Bench, Figure } from './figures';
import { hostOf, startUpgrade } from './upgrades';
import { BenchWorld } from './world/bench-world';
import { UsageWatch } from './world/usage-watch';

const MIB = 1024 * 1024;
/** What a server takes of one workflow, and three fifths of it: answers that come one by one, retries and reminders need the rest. */
const MOST_EVENTS = 51_200 * 0.6;
/** Likewise, and half of it. */
const MOST_HISTORY_MIB = 50 / 2;
/** A server warns beyond it. */
const MOST_PAYLOAD_KIB = 512;
const LOOKS_EVERY_MS = 1_000;
/** An answer of so many elements kept a worker busy for 87 s. */
const ELEMENTS = 40_000;

export const large: Bench = {
  name: 'large',
  about: 'the largest provider that one upgrade takes: events, bytes, time and memory',
  async run({ large: instances }, say) {
    const activeTemplates = Math.min(instances * 10, LIMITS.activeTemplates);
    return [
      ...(await measured(`${instances} instances with gates`, { instances, sourceVersion: '18.3' }, 'screen', say)),
      ...(await measured(
        `${instances} instances tested at Microsoft`,
        { instances, sourceVersion: '18.3' },
        'Microsoft',
        say,
      )),
      ...(await measured(
        `${activeTemplates} active templates`,
        { instances: 3, moreTemplates: activeTemplates - 3, sourceVersion: '18.4' },
        'screen',
        say,
      )),
      answers(),
    ];
  },
};

async function measured(
  what: string,
  size: Omit<ProviderOptions, 'id'>,
  testedBy: 'screen' | 'Microsoft',
  say: (line: string) => void,
): Promise<Figure[]> {
  const id = 'large';
  const world = await BenchWorld.open({
    providers: [{ id, gateways: [{ host: hostOf(id) }], ...size }],
    atMicrosoft: testedBy === 'Microsoft' ? [id] : [],
  });
  let watch: UsageWatch | undefined;
  try {
    const worker = await world.startControlPlane();
    await world.startEndpoints([hostOf(id)]);
    watch = await UsageWatch.start({ 'control-plane worker': worker.pid, 'Temporal server': world.server.pid });
    say(`${what}: the upgrade starts`);
    const began = performance.now();
    const handle = await startUpgrade(world.client, id);
    // An answer tells some hundred gates, and the others as these close: it looks again and again.
    const goHome = new AbortController();
    const { signal } = goHome;
    const upgrade = world.client.workflow.getHandle(handle.workflowId);
    const operator = runOperator({ upgrade, controlUrl: world.controlUrl(id), everyMs: LOOKS_EVERY_MS, signal });
    await handle.result().finally(() => goHome.abort());
    await operator;
    const seconds = (performance.now() - began) / 1000;
    world.requireNoProblems();
    const usage = await watch.end();
    const { events, bytes, largest } = await sizesOf(handle);
    const figure = (measure: string, value: number, unit: string, most?: number): Figure => ({
      bench: 'large',
      what: `${what}: ${measure}`,
      value,
      unit,
      how: 'sandbox, one worker',
      ...(most === undefined ? {} : { target: { most } }),
    });
    return [
      figure('events', events, 'events', MOST_EVENTS),
      figure('history', bytes / MIB, 'MiB', MOST_HISTORY_MIB),
      figure('largest payload', largest / 1024, 'KiB', MOST_PAYLOAD_KIB),
      figure('whole upgrade', seconds, 's'),
      ...usage.map(({ name, mostResidentMiB }) => figure(`memory of the ${name}`, mostResidentMiB, 'MiB')),
    ];
  } finally {
    watch?.stop();
    await world.close();
  }
}

async function sizesOf(handle: WorkflowHandle): Promise<{ events: number; bytes: number; largest: number }> {
  const { workflowExecutionInfo } = (await handle.describe()).raw;
  const { events } = await handle.fetchHistory();
  const payloads = (events ?? []).flatMap((event) => [
    ...(event.activityTaskScheduledEventAttributes?.input?.payloads ?? []),
    ...(event.activityTaskCompletedEventAttributes?.result?.payloads ?? []),
    ...(event.startChildWorkflowExecutionInitiatedEventAttributes?.input?.payloads ?? []),
  ]);
  return {
    events: events?.length ?? 0,
    bytes: Number(workflowExecutionInfo?.historySizeBytes ?? 0),
    largest: Math.max(0, ...payloads.map(({ data }) => data?.length ?? 0)),
  };
}

/** Ten elements for each entry of the list. */
function answers(): Figure {
  const list = Array.from({ length: ELEMENTS / 10 }, (_, index) => ({ st_id: index, name: `offer ${index}` }));
  const text = encodeResponse(list);
  const began = performance.now();
  decodeResponse(text);
  return {
    bench: 'large',
    what: `an answer with ${ELEMENTS} elements`,
    value: performance.now() - began,
    unit: 'ms',
    how: 'read by the client of Operations; nested namespaces are refused unread',
  };
}
