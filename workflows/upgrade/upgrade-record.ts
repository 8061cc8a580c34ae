/** Keeps what is known of one upgrade, and shows it: to queries, as search attributes and as current details. */
import type { SearchAttributeUpdatePair } from '@temporalio/common';
import { condition, log } from '@temporalio/workflow';
import type { AuditEntry, SwitchedOff, UpgradePlan, UpgradeStatus } from '../../src/contract/status';
import {
  crossedAttribute,
  hostsFreeAttribute,
  openGatesAttribute,
  pathAttribute,
  providerAttribute,
  stateAttribute,
  stepAttribute,
} from '../../src/temporal/search-attributes';
import { showDetails } from '../kit/details-of-activation';
import { now } from '../kit/now';
import { SentAttributes } from '../kit/search-attributes';
import type { Waiting } from '../people/reminders';
import { currentDetails } from './current-details';
import { newUpgrade, next, stateOf, statusOf, type Beginning, type KnownUpgrade, type UpgradeEvent } from './state';

export class UpgradeRecord {
  private upgrade: KnownUpgrade;
  /** Kept until something changes: many conditions ask for it. */
  private shown: { of: KnownUpgrade; status: UpgradeStatus } | undefined;
  /** As the current details tell it. */
  private told: KnownUpgrade | undefined;
  private readonly attributes = new SentAttributes();

  constructor(beginning: Beginning) {
    this.upgrade = newUpgrade(beginning, now());
  }

  /** The only way in which anything changes. */
  apply(event: UpgradeEvent): void {
    const { auditEntries } = this.upgrade;
    this.upgrade = next(this.upgrade, event, now());
    const written = this.upgrade.auditEntries - auditEntries;
    if (written > 0) this.upgrade.audit.slice(-written).forEach((entry) => this.log(entry));
  }

  /** Without the words: people's may be private, and those of systems are in the notice that goes out. A replay says nothing. */
  private log({ what, verdict, subject }: AuditEntry): void {
    const { provider, operation, step } = this.upgrade.known;
    const level = verdict === 'refused' || what === 'hold' ? 'warn' : 'info';
    log[level](`${what} ${verdict}`, { provider, operation, step, subject, verdict });
  }

  get status(): UpgradeStatus {
    if (this.shown?.of !== this.upgrade) this.shown = { of: this.upgrade, status: statusOf(this.upgrade) };
    return this.shown.status;
  }

  get plan(): UpgradePlan {
    const { known, plan } = this.upgrade;
    return { provider: known.provider, ...(known.path ? { path: known.path } : {}), steps: [...plan] };
  }

  get audit(): AuditEntry[] {
    return [...this.upgrade.audit];
  }

  get provider(): string {
    return this.upgrade.known.provider;
  }

  get crossed(): boolean {
    return this.upgrade.known.crossed;
  }

  get forwardOnly(): string | undefined {
    return this.upgrade.known.forwardOnly;
  }

  get hostsFree(): boolean {
    return this.upgrade.hostsFree;
  }

  get isRollingBack(): boolean {
    return this.upgrade.phase === 'rollingBack';
  }

  get isPaused(): boolean {
    return this.upgrade.known.paused !== undefined;
  }

  get switchedOff(): readonly SwitchedOff[] {
    return this.upgrade.known.switchedOff;
  }

  get notUndone(): readonly string[] {
    return this.upgrade.known.notUndone;
  }

  get kept(): readonly string[] {
    return this.upgrade.known.kept;
  }

  /** What waits for people, oldest first; gates before holds. */
  get waiting(): readonly Waiting[] {
    return [...this.upgrade.gates, ...this.upgrade.holds];
  }

  /**
   * Keeps what is shown up to date; never ends. Each change of a search attribute is a history event, so it waits until the
   * workflow has done all it can for now, and sends only what changed.
   */
  async run(): Promise<never> {
    showDetails(() => this.tell());
    for (;;) {
      await condition(() => this.toSend().length > 0);
      this.publish();
    }
  }

  private tell(): string | undefined {
    if (this.upgrade === this.told) return undefined;
    this.told = this.upgrade;
    return currentDetails(this.status);
  }

  /** Sends what has changed; for the last word nothing is awaited any more. */
  publish(): void {
    this.attributes.send(this.toSend());
  }

  private toSend(): SearchAttributeUpdatePair[] {
    const { known, gates, holds, hostsFree } = this.upgrade;
    const { provider, path, step, crossed } = known;
    const asked = gates.length + holds.length;
    const values: SearchAttributeUpdatePair[] = [
      { key: providerAttribute, value: provider },
      { key: stateAttribute, value: stateOf(this.upgrade) },
      { key: stepAttribute, value: step ?? null },
      { key: pathAttribute, value: path ? `${path.from} -> ${path.to}` : null },
      { key: crossedAttribute, value: crossed },
      { key: hostsFreeAttribute, value: hostsFree },
      { key: openGatesAttribute, value: asked },
    ];
    const changed = this.attributes.changed(values);
    // That some of several gates have closed is sent with the next change; that none is open any more changes the state as well.
    const asksMore = asked > Number(this.attributes.valueOf(openGatesAttribute));
    return asksMore || changed.some(({ key }) => key !== openGatesAttribute) ? changed : [];
  }
}
