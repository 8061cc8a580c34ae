import { EventEmitter, once } from 'node:events';
import type { Notice } from '../../src/contract/activities';
import type { StubActivities } from '../kit/stub-world/stub-activities';
import { DAY, type SimulatedTime } from './simulated-time';

/** What people were told, and when. */
export class Notices {
  readonly all: { at: number; notice: Notice }[] = [];
  private readonly news = new EventEmitter();
  private readonly time: SimulatedTime;

  constructor(time: SimulatedTime) {
    this.time = time;
  }

  readonly notify: StubActivities['notify'] = async ({ notice }) => {
    this.all.push({ at: await this.time.now(), notice });
    this.news.emit('told');
  };

  /** Returns as soon as people were told so many of this kind: what is told is known to the workflow before. */
  async told(kind: Notice['kind'], count = 1): Promise<void> {
    while (this.of(kind).length < count) await once(this.news, 'told');
  }

  of(...kinds: Notice['kind'][]): Notice[] {
    return this.all.map(({ notice }) => notice).filter(({ kind }) => kinds.includes(kind));
  }

  /** After how many days, counted from `moment`, each notice of these kinds went out. What a notice itself takes, seconds, is left away. */
  daysAfter(moment: number, ...kinds: Notice['kind'][]): number[] {
    return this.all.filter(({ notice }) => kinds.includes(notice.kind)).map(({ at }) => toTheMinute(at - moment) / DAY);
  }
}

const MINUTE = 60_000;
const toTheMinute = (milliseconds: number): number => Math.floor(milliseconds / MINUTE) * MINUTE;
