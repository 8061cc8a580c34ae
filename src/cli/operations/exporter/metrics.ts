/**
 * What the exporter shows to Prometheus. Series: one per provider that runs for what concerns a provider, one per fleet and state, one per
 * task queue and build (docs/monitoring.md).
 */
import { Gauge, Registry } from 'prom-client';
import { TOKEN_LIFETIME_DAYS, WARNING_DAYS } from '../../../contract/consent';
import { ENDS, type Seen } from './seen';

const DAY_SECONDS = 86_400;
/** Upper ends, in days; whatever has ended is in 0. */
const DAYS_LEFT = [0, ...[...WARNING_DAYS].reverse(), TOKEN_LIFETIME_DAYS];

export class ExportedMetrics {
  readonly registry = new Registry();

  private readonly version = this.gauge('onward_exporter_info', 'Version of the exporter.', ['version']);
  private readonly up = this.gauge('onward_exporter_up', 'Whether the last look at the Temporal server succeeded.');
  private readonly lookedAt = this.gauge(
    'onward_exporter_last_look_timestamp_seconds',
    'When the last look succeeded.',
  );
  private readonly lookSeconds = this.gauge('onward_exporter_look_duration_seconds', 'How long it took.');
  private readonly broken = this.gauge(
    'onward_inventory_problems',
    'Problems that keep entries of the inventory from being used.',
  );
  private readonly shown = {
    upgrades: this.gauge('onward_upgrades', 'Upgrades that run.', ['state', 'step']),
    ended: this.gauge('onward_upgrades_ended', 'Upgrades that have ended, as long as the server keeps them.', ['end']),
    silent: this.gauge('onward_unanswered', 'Workflows whose details could not be read in this look.', ['workflow']),
    left: this.gauge('onward_left_behind', 'What an upgrade has left that does not run, and that nobody finishes.', [
      'provider',
      'what',
    ]),
    off: this.gauge('onward_switched_off_timestamp_seconds', 'Since when it is off.', ['provider', 'what']),
    gates: this.gauge('onward_gates', 'Gates that are open.', ['asked']),
    gateSince: this.gauge('onward_oldest_gate_timestamp_seconds', 'Since when the oldest gate is open.', [
      'provider',
      'asked',
    ]),
    holds: this.gauge('onward_hold_timestamp_seconds', 'Since when a failed step holds.', ['provider', 'step']),
    fleets: this.gauge('onward_fleet_state', '1 for the state that the fleet is in.', ['fleet', 'state']),
    members: this.gauge('onward_fleet_providers', 'Providers of the fleet.', ['fleet', 'state']),
    allowed: this.gauge('onward_fleet_budget', 'How many providers may be broken.', ['fleet']),
    broken: this.gauge('onward_fleet_broken', 'How many providers are broken.', ['fleet']),
    tokens: this.gauge('onward_tokens', 'Refresh tokens, by the most days that they have left.', ['days_left']),
    tokenEnds: this.gauge('onward_token_end_timestamp_seconds', 'When the first token of the provider ends.', [
      'provider',
    ]),
    tokensRefused: this.gauge(
      'onward_tokens_refused',
      'Refresh tokens of the provider with which the last connection test failed.',
      ['provider'],
    ),
    notices: this.gauge('onward_notices', 'Notices that wait to be delivered, or failed in the last day.', ['state']),
    workers: this.gauge('onward_task_queue_workers', 'Workers that poll the task queue.', ['task_queue', 'build']),
    backlog: this.gauge('onward_task_queue_backlog', 'Tasks that wait for a worker, about.', ['task_queue']),
  };

  constructor(version: string) {
    this.version.set({ version }, 1);
    this.up.set(0);
  }

  /** The metrics of a look, instead of those of the one before. */
  show(seen: Seen, at: Date, seconds: number): void {
    for (const gauge of Object.values(this.shown)) gauge.reset();
    this.showLedgers(seen);
    // After the ledgers: of what is off, an upgrade that runs knows more.
    this.showUpgrades(seen);
    this.showFleets(seen);
    this.showTokens(seen, at);
    const { notices, workers, backlog, silent } = this.shown;
    silent.set({ workflow: 'consent' }, seen.unreadable);
    notices.set({ state: 'waiting' }, seen.notices.waiting);
    notices.set({ state: 'failed' }, seen.notices.failed);
    for (const queue of seen.queues) {
      for (const [build, count] of queue.workers) workers.set({ task_queue: queue.name, build }, count);
      backlog.set({ task_queue: queue.name }, queue.backlog);
    }
    this.up.set(1);
    this.lookedAt.set(at.getTime() / 1000);
    this.lookSeconds.set(seconds);
  }

  /** What was found wrong with the inventory. */
  inventory(problems: number): void {
    this.broken.set(problems);
  }

  /** The metrics of the last look stay. */
  failed(): void {
    this.up.set(0);
  }

  private showLedgers({ ledgers, upgrades }: Seen): void {
    const { off, left, silent: unanswered } = this.shown;
    unanswered.set({ workflow: 'ledger' }, 0);
    for (const { details, silent } of ledgers) {
      unanswered.inc({ workflow: 'ledger' }, silent ? 1 : 0);
      if (!details?.holder) continue;
      const { holder, begun, requests, notUndone } = details;
      const { provider } = holder;
      for (const { what, since } of begun) if (what !== undefined) off.set({ provider, what }, secondsOf(since));
      if (upgrades.some(({ name }) => name === provider)) continue;
      const parts = { begun: begun.length, import: requests.length, notUndone: notUndone.length };
      for (const [what, count] of Object.entries(parts)) if (count > 0) left.set({ provider, what }, count);
    }
  }

  private showUpgrades({ upgrades, ended }: Seen): void {
    const shown = this.shown;
    for (const asked of ['operator', 'approver', 'partnerAdministrator']) shown.gates.set({ asked }, 0);
    for (const { name: provider, state, step, details, silent } of upgrades) {
      shown.upgrades.inc({ state, step });
      shown.silent.inc({ workflow: 'upgrade' }, silent ? 1 : 0);
      for (const { what, since } of details?.switchedOff ?? []) shown.off.set({ provider, what }, secondsOf(since));
      for (const { step: held, since } of details?.holds ?? []) {
        shown.holds.set({ provider, step: held }, secondsOf(since));
      }
      const oldest = new Map<string, number>();
      for (const { asked, openedAt } of details?.gates ?? []) {
        shown.gates.inc({ asked });
        oldest.set(asked, Math.min(oldest.get(asked) ?? Infinity, secondsOf(openedAt)));
      }
      for (const [asked, since] of oldest) shown.gateSince.set({ provider, asked }, since);
    }
    for (const end of ENDS) shown.ended.set({ end }, ended[end]);
  }

  private showFleets({ fleets }: Seen): void {
    const { members, allowed, broken, ...shown } = this.shown;
    for (const { name: fleet, state, details, silent } of fleets) {
      shown.fleets.set({ fleet, state }, 1);
      shown.silent.inc({ workflow: 'fleet' }, silent ? 1 : 0);
      if (details === undefined) continue;
      for (const [each, count] of Object.entries(details.counts)) members.set({ fleet, state: each }, count);
      allowed.set({ fleet }, details.budget.allowed);
      broken.set({ fleet }, details.budget.broken);
    }
  }

  private showTokens({ tokens }: Seen, at: Date): void {
    const { tokens: counted, tokenEnds, tokensRefused } = this.shown;
    for (const days of DAYS_LEFT) counted.set({ days_left: days }, 0);
    const first = new Map<string, number>();
    for (const { provider, expiresAt, test } of tokens) {
      const ends = secondsOf(expiresAt);
      const left = Math.max(0, Math.ceil((ends - at.getTime() / 1000) / DAY_SECONDS));
      counted.inc({ days_left: DAYS_LEFT.find((days) => left <= days) ?? TOKEN_LIFETIME_DAYS });
      tokensRefused.inc({ provider }, test?.result === 'fails' ? 1 : 0);
      first.set(provider, Math.min(first.get(provider) ?? Infinity, ends));
    }
    for (const [provider, ends] of first) tokenEnds.set({ provider }, ends);
  }

  private gauge<Label extends string = never>(name: string, help: string, labelNames: Label[] = []): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}

const secondsOf = (iso: string): number => Date.parse(iso) / 1000;
