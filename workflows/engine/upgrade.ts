/** What the engine needs of the upgrade that it runs. */
import type { Notice } from '../../src/contract/activities';
import type { FrozenProfile } from '../../src/contract/entry';
import type { SwitchedOff } from '../../src/contract/status';
import type { NextCall } from '../people/blocker';
import type { WaitingPoints } from '../people/waiting-points';
import type { EngineEvent } from './events';

export interface Upgrade {
  readonly profile: FrozenProfile;
  readonly startedBy: string | undefined;
  readonly workflowId: string;
  readonly record: {
    apply(event: EngineEvent): void;
    readonly crossed: boolean;
    /** Why nothing can be undone although this run has not crossed; undefined where it can. */
    readonly forwardOnly: string | undefined;
    readonly hostsFree: boolean;
    readonly isRollingBack: boolean;
    readonly switchedOff: readonly SwitchedOff[];
    readonly notUndone: readonly string[];
    readonly kept: readonly string[];
  };
  readonly people: WaitingPoints;
  /** Returns when neither a pause nor anything else stands against the next call; true where it had to wait for that. */
  readonly checkpoint: (next?: NextCall) => Promise<boolean>;
  /** What an accepted abort calls; undefined where there is nothing to abort. */
  readonly onAbort: (abort: ((by: string, reason: string) => void) | undefined) => void;
  /** Tells people; never fails. */
  readonly notify: (kind: Notice['kind'], subject: string, body: string) => void;
}
