/**
 * A call whose entry of the inventory has changed since the upgrade has read it holds, before and after the crossing, in an undo
 * and while an answer is verified: going back needs the same connections as going on. It is made again once the entry is what it
 * was, or somebody has taken what it is now.
 */
import { ActivityFailure, TemporalFailure, isCancellation } from '@temporalio/workflow';
import { GONE, entryOf, isTakeable, type EntryChange, type EntryRef } from '../../src/contract/entry';
import type { ApplicationInstance } from '../../src/contract/facts';
import type { HoldAction } from '../../src/contract/status';
import { activitiesFor, type Activities, type Calls } from '../kit/activities';
import { listed } from '../kit/listed';
import { entryChangeOf, problemOf } from '../kit/problem';
import { elsewhere } from './look-again';
import type { Upgrade } from './upgrade';

/** Fields that say where an installation is. */
const LEADS_ELSEWHERE = ['operations.url', 'aps.url'];

type OnEntry = { entry: EntryRef };
/** Why a call is not made. */
type Why = Pick<EntryChange, 'changed'> & { problem: string };
type Call = (summary: string, input: object) => Promise<unknown>;

export class EntryHolds {
  /** Calls that are made side by side meet the same change, and wait for the same decision. */
  private readonly open = new Map<string, Promise<HoldAction>>();

  /** @param instances of the installation, as the preflight has seen them. */
  constructor(
    private readonly upgrade: Upgrade,
    private readonly instances: readonly ApplicationInstance[],
  ) {}

  /**
   * The activities of a step, as far as they look entries up.
   *
   * @param goesBack whether going back is another way than making the call.
   */
  around(step: string, activities: Activities, goesBack = true): Activities {
    const { operations, billing, microsoft, network } = activities;
    return {
      ...activities,
      operations: this.holding(step, operations, goesBack),
      billing: this.holding(step, billing, goesBack),
      microsoft: this.holding(step, microsoft, goesBack),
      network: this.holding(step, network, goesBack),
    };
  }

  private holding<Interface>(step: string, calls: Calls<Interface>, goesBack: boolean): Calls<Interface> {
    return new Proxy(calls, {
      get: (target, name) => (summary: string, input: object) =>
        this.made(step, (now) => (target[name as keyof typeof target] as Call)(summary, now), input, goesBack),
    });
  }

  private async made(
    step: string,
    call: (input: object) => Promise<unknown>,
    input: object,
    goesBack: boolean,
  ): Promise<unknown> {
    for (let now = input; ;) {
      try {
        return await call(now);
      } catch (error) {
        const change = entryChangeOf(error);
        if (!change || !(error instanceof ActivityFailure)) throw error;
        if ((await this.decided(step, change, problemOf(error), goesBack)) === 'rollback') throw error;
        now = this.asTaken(now, change);
      }
    }
  }

  /** Holds until the way is free, and leads to the same installation: nothing is done to another one, not even by an undo. */
  private async settle(step: string, change: EntryChange, problem: string, goesBack: boolean): Promise<HoldAction> {
    let why: Why | undefined = { changed: change.changed, problem };
    for (let leads = false; ;) {
      const action = await this.hold(step, why, goesBack);
      leads ||= why.changed.some(({ field }) => LEADS_ELSEWHERE.includes(field));
      if (action === 'rollback' || !leads) return action;
      why = await this.whyElsewhere();
      if (!why) return action;
    }
  }

  private async whyElsewhere(): Promise<Why | undefined> {
    const { instances } = this;
    const { profile } = this.upgrade;
    try {
      const { gone } = await activitiesFor(profile.timings).operations.lookAgain(
        'look whether it is the same installation',
        {
          entry: entryOf(profile, 'operations', 'aps'),
          known: instances.map(({ resourceId }) => resourceId),
          endpoints: [],
        },
      );
      return gone.length === instances.length ? { changed: [], problem: elsewhere(instances) } : undefined;
    } catch (error) {
      if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error;
      return { changed: entryChangeOf(error)?.changed ?? [], problem: problemOf(error) };
    }
  }

  private async decided(step: string, change: EntryChange, problem: string, goesBack: boolean): Promise<HoldAction> {
    const key = JSON.stringify([step, change, goesBack]);
    const open =
      this.open.get(key) ?? this.settle(step, change, problem, goesBack).finally(() => this.open.delete(key));
    this.open.set(key, open);
    return await open;
  }

  private async hold(step: string, { changed, problem }: Why, goesBack: boolean): Promise<HoldAction> {
    const { record, people, profile, checkpoint } = this.upgrade;
    const stay = changed.map(({ field }) => field).filter((field) => !isTakeable(field));
    const said = [
      problem,
      'Put it back and retry.',
      ...(changed.length > stay.length ? ['Or take what it is now, field by field, with takeEntry.'] : []),
      ...(stay.length > 0 ? [`What cannot be taken: ${listed(stay)}.`] : []),
    ];
    const mayGoBack = goesBack && !record.crossed && record.forwardOnly === undefined && !record.isRollingBack;
    const action = await people.hold(step, said.join(' '), mayGoBack ? ['retry', 'rollback'] : ['retry'], {
      changed,
      take: ({ field, digest }) => Object.assign(profile.digests, { [field]: digest }),
    });
    if (goesBack && action !== 'rollback' && !record.isRollingBack) await checkpoint();
    return action;
  }

  /** With the digests that hold now: those that somebody has taken are among them. */
  private asTaken(input: object, { changed }: EntryChange): object {
    const { entry } = input as OnEntry;
    const { digests: taken } = this.upgrade.profile;
    const digests = { ...entry.digests };
    for (const field of [...Object.keys(digests), ...changed.map((each) => each.field)])
      digests[field] = taken[field] ?? GONE;
    return { ...input, entry: { ...entry, digests } };
  }
}
