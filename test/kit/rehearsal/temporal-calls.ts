/**
 * What activities ask of Temporal, on the worker's own connection: kept as the sandbox's journal keeps the calls of other systems, and hit by
 * the same faults. What the worker itself does there, such as polling, goes another way and is not touched.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { asyncLocalStorage } from '@temporalio/activity';
import type { NativeConnection } from '@temporalio/worker';
import type { FaultRule } from '../../../src/sandbox/faults';
import type { JournalEntry } from '../../../src/sandbox/journal';
import type { Sandbox } from '../../../src/sandbox/server';

/** `seq` lies between those of the entries of the journal before and behind it. */
export type TemporalCall = Omit<JournalEntry, 'system'> & { system: 'temporal' };

/** Emits `recorded` with each call of an upgrade's activities. */
export class TemporalCalls extends EventEmitter<{ recorded: [TemporalCall] }> {
  private readonly all: TemporalCall[] = [];

  constructor() {
    super();
    this.setMaxListeners(0);
  }

  entries(): readonly TemporalCall[] {
    return this.all;
  }

  /** For `onConnection` of a rehearsal. */
  readonly watch = ({ workflowService, callContextStorage }: NativeConnection, { journal, faults }: Sandbox): void => {
    const { rpcImpl } = workflowService;
    if (!rpcImpl) throw new Error('The connection is closed.');
    workflowService.rpcImpl = (method, request, done) => {
      const provider = upgradeAtWork();
      if (provider === undefined) return rpcImpl(method, request, done);
      const { name } = method;
      // The call that a fault waits for is not hit itself.
      const rule = faults.take({ provider, system: 'temporal', call: name });
      this.record({ seq: journal.entries().length + 0.5, at: new Date().toISOString(), kind: 'call', provider, name });
      if (!rule) return rpcImpl(method, request, done);
      const call = (): Promise<Answer> => new Promise((resolve) => rpcImpl(method, request, (...all) => resolve(all)));
      suffered(rule, call, callContextStorage.getStore()?.deadline).then(
        (answer) => done(...answer),
        (error: Error) => done(error),
      );
    };
  };

  private record(call: Omit<TemporalCall, 'system'>): void {
    const recorded: TemporalCall = { ...call, system: 'temporal' };
    this.all.push(recorded);
    this.emit('recorded', recorded);
  }
}

type Answer = [error: Error | null, answer?: Uint8Array | null];

/** @param deadline that the caller has given the call. */
async function suffered(
  { kind, delayMs = 0 }: FaultRule,
  call: () => Promise<Answer>,
  deadline: number | Date = Infinity,
): Promise<Answer> {
  switch (kind) {
    case 'refuse':
      throw grpcError(14, 'UNAVAILABLE');
    case 'effectThenNoAnswer':
      await call();
      throw grpcError(14, 'UNAVAILABLE');
    case 'slow': {
      const answer = await call();
      const left = Number(deadline) - Date.now();
      await delay(Math.min(delayMs, left));
      if (left < delayMs) throw grpcError(4, 'DEADLINE_EXCEEDED');
      return answer;
    }
    default:
      throw new Error(`Calls of Temporal know no fault ${kind}.`);
  }
}

/** As the SDK knows it. */
const grpcError = (code: number, name: string): Error =>
  Object.assign(new Error(`${code} ${name}: as the fault wants it`), {
    code,
    details: 'as the fault wants it',
    metadata: { get: () => [] },
  });

/** Provider of the upgrade whose activity asks. */
const upgradeAtWork = (): string | undefined =>
  /^upgrade\/(.+)$/.exec(asyncLocalStorage.getStore()?.info.workflowExecution?.workflowId ?? '')?.[1];
