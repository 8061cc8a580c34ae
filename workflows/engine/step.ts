/**
 * The kinds of steps that a path is made of.
 *
 * `Needs` are the facts that a step reads and `Gives` the facts that it adds; a path in which a step's needs are not yet
 * given does not compile (see ./path). A step is a declaration: the engine (./run-path) decides when to run what.
 */
import type { Operation } from '../../src/contract/operation';
import type { ProviderProfile } from '../../src/contract/provider';
import type { StepName, UpgradeStatus } from '../../src/contract/status';
import type { Activities } from '../kit/activities';
import type { GateAnswer, GateRequest } from '../people/gate';

export interface Heading {
  /** Also the value of the search attribute `OnwardStep` and the `step` of people's answers. */
  readonly name: StepName;
  readonly title: string;
  /** Where the release notes ask for it, by the 18.3 procedure's numbers. */
  readonly procedure: string;
  /** Whom or what the step waits for, for the plan. */
  readonly waitsFor: string;
}

/** What a step may use of its upgrade. */
export interface StepContext {
  readonly profile: ProviderProfile;
  readonly activities: Activities;
  /** Names backups, records and everything else that has to be found again, and not taken for that of another upgrade. */
  readonly operation: Operation;
  readonly from: string;
  readonly to: string;
  /** Shows one line of progress in status and current details. */
  readonly note: (text: string) => void;
  /** Returns at once, or when a pause is over. Call it before every changing activity. */
  readonly checkpoint: () => Promise<void>;
  /** Opens a gate and waits until an answer stands its verification. */
  readonly ask: (request: GateRequest) => Promise<GateAnswer>;
  /** Shows what host is waited for, until it is called with undefined. A checkpoint has to follow. */
  readonly awaitsHost: (awaited: UpgradeStatus['awaitedHost']) => void;
  /** Starts or stops the clock that shows how long provisioning has been off. */
  readonly provisioning: (state: 'off' | 'on') => void;
}

/** Changes nothing, so there is nothing to undo; it can stand on both sides of the crossing. */
export interface ReadingStep<Needs, Gives> extends Heading {
  readonly kind: 'reading';
  readonly run: (context: StepContext, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

/** Changes something and can change it back. */
export interface ReversibleStep<Needs, Gives> extends Heading {
  readonly kind: 'reversible';
  /** One line for the plan. */
  readonly undoes: string;
  /** Reads what the undo will need; changes nothing yet. */
  readonly begin: (context: StepContext, facts: Needs) => Promise<Begun<Gives>>;
}

/** A reversible step that knows how to come back. */
export interface Begun<Gives> {
  readonly run: () => Promise<Gives>;
  readonly verify: () => Promise<Gives>;
  readonly undo: () => Promise<void>;
}

/** How a reversible step is declared; `Before` is what its undo needs to know. */
export interface ReversibleDeclaration<Needs, Before, Gives> extends Heading {
  readonly undoes: string;
  /** Reads what the undo will need. Runs once; its result survives retries of `run`. */
  readonly prepare: (context: StepContext, facts: Needs) => Promise<Before>;
  readonly run: (context: StepContext, facts: Needs, before: Before) => Promise<Gives>;
  /** Reads whether a person has done the step by hand; fails when not. */
  readonly verify: (context: StepContext, facts: Needs, before: Before) => Promise<Gives>;
  /** Restores what `prepare` saw, however far `run` came. Safe to repeat. */
  readonly undo: (context: StepContext, facts: Needs, before: Before) => Promise<void>;
}

/** The point of no return. */
export interface CrossingStep<Needs, Gives> extends Heading {
  readonly kind: 'crossing';
  readonly run: (context: StepContext, facts: Needs, attempt: number) => Promise<Gives>;
  readonly verify: (context: StepContext, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

/** Changes something for good. */
export interface ForwardStep<Needs, Gives> extends Heading {
  readonly kind: 'forward';
  readonly run: (context: StepContext, facts: Needs) => Promise<Gives>;
  /** Reads whether a person has done the step by hand; fails when not. Leave out where nobody can. */
  readonly verify?: (context: StepContext, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

export const readingStep = <Needs, Gives>(
  step: Omit<ReadingStep<Needs, Gives>, 'kind'>,
): ReadingStep<Needs, Gives> => ({
  kind: 'reading',
  ...step,
});

export function reversibleStep<Needs, Before, Gives>({
  prepare,
  run,
  verify,
  undo,
  ...declared
}: ReversibleDeclaration<Needs, Before, Gives>): ReversibleStep<Needs, Gives> {
  return {
    kind: 'reversible',
    ...declared,
    begin: async (context, facts) => {
      const before = await prepare(context, facts);
      return {
        run: () => run(context, facts, before),
        verify: () => verify(context, facts, before),
        undo: () => undo(context, facts, before),
      };
    },
  };
}

export const crossingStep = <Needs, Gives>(
  step: Omit<CrossingStep<Needs, Gives>, 'kind'>,
): CrossingStep<Needs, Gives> => ({ kind: 'crossing', ...step });

export const forwardStep = <Needs, Gives>(
  step: Omit<ForwardStep<Needs, Gives>, 'kind'>,
): ForwardStep<Needs, Gives> => ({
  kind: 'forward',
  ...step,
});
