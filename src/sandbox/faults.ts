/** Faults and latencies that the control API orders and that the simulated systems act out on the wire. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

export const WIRE_FAULTS = [
  /** The connection is closed before the request is read: nothing happens. */
  'refuse',
  /** The connection is reset after the request was read: nothing happens. */
  'reset',
  /** HTTP 500 with a page that is no XML or JSON: nothing happens. */
  'error500',
  /** The effect happens; the answer is cut in the middle. */
  'malformed',
  /** An XML-RPC fault, or an error in the system's JSON shape: nothing happens. */
  'fault',
  /** The effect happens; the answer comes after `delayMs`. */
  'slow',
  /** The call waits for `delayMs` before anything happens; nothing does where the caller is gone by then. */
  'slowBefore',
  /** The effect happens; the connection is reset instead of an answer. */
  'effectThenNoAnswer',
  /** The effect happens, and the task that it schedules never ends. */
  'stuckTask',
  /** The effect happens, and the task that it schedules fails: an instance stays `Upgrading`, an import's request fails. */
  'failedUpgradeTask',
] as const;
export type WireFault = (typeof WIRE_FAULTS)[number];

/** Faults of the wire, and for the system `host` what the simulated hosts define. */
export type FaultKind = WireFault | (string & {});

export interface FaultRule {
  id: string;
  /** Absent: every provider. */
  provider?: string;
  /** Absent: every host. */
  host?: string;
  /** Absent: every system. */
  system?: string;
  /** Name of the call, or `*`. */
  call: string;
  kind: FaultKind;
  /** How many matching calls go through unharmed first; 0 by default. */
  skip?: number;
  /** How many matching calls are hit after that; 1 by default. */
  times?: number;
  /** How long `slow` and `slowBefore` wait, in milliseconds. */
  delayMs?: number;
}

/** Emits `hit` with the rule whenever a call is hit, before anything else happens to the call. */
export class Faults extends EventEmitter<{ hit: [FaultRule] }> {
  private rules: { rule: FaultRule; skip: number; left: number }[] = [];

  add(rule: Omit<FaultRule, 'id'>): FaultRule {
    const added = { id: randomUUID(), ...rule };
    this.rules.push({ rule: added, skip: rule.skip ?? 0, left: rule.times ?? 1 });
    return added;
  }

  /** The rule that hits this call, used up by one; `undefined` where the call goes through. */
  take(where: { provider?: string; host?: string; system: string; call: string }): FaultRule | undefined {
    for (const entry of this.rules) {
      const { rule } = entry;
      if (rule.provider !== undefined && rule.provider !== where.provider) continue;
      if (rule.host !== undefined && rule.host !== where.host) continue;
      if (rule.system !== undefined && rule.system !== where.system) continue;
      if (rule.call !== '*' && rule.call !== where.call) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.left -= 1;
      if (entry.left <= 0) this.rules = this.rules.filter((other) => other !== entry);
      this.emit('hit', rule);
      return rule;
    }
    return undefined;
  }

  /** Rules that have not hit as often as they are to. */
  list(): FaultRule[] {
    return this.rules.map(({ rule }) => rule);
  }

  remove({ id }: FaultRule): void {
    this.rules = this.rules.filter(({ rule }) => rule.id !== id);
  }

  clear(): void {
    this.rules = [];
  }
}

/** How long the answers of some calls take, until it is taken back. */
export interface Latency {
  provider?: string;
  system?: string;
  /** Name of the call, or `*`. */
  call: string;
  delayMs: number;
}

export class Latencies {
  private all: Latency[] = [];

  add(latency: Latency): void {
    this.all.push(latency);
  }

  list(): Latency[] {
    return [...this.all];
  }

  clear(): void {
    this.all = [];
  }

  /** The longest that applies, in milliseconds. */
  of(where: { provider?: string; system: string; call: string }): number {
    const delays = this.all
      .filter((latency) => latency.provider === undefined || latency.provider === where.provider)
      .filter((latency) => latency.system === undefined || latency.system === where.system)
      .filter((latency) => latency.call === '*' || latency.call === where.call)
      .map((latency) => latency.delayMs);
    return Math.max(0, ...delays);
  }
}
