/**
 * The kinds of steps that a path is made of.
 *
 * `Needs` are the facts that a step reads and `Gives` the facts that it adds; a path in which a step's needs are not yet
 * given does not compile (see ./path). A step is a declaration: the engine (./run-path) decides when to run what.
 */
import type { Operation } from '../../src/contract/operation';
import type { FrozenProfile } from '../../src/contract/entry';
import type { Question, UpgradeStatus } from '../../src/contract/status';
import type { GateAnswer, GateRequest } from '../people/gate';
import type { ActivitiesWith, EffectName, Foreseen } from './effects';
import type { Installation } from './installation';
import type { PreflightFacts } from './preflight-facts';

export interface Heading {
  /** Also the value of the search attribute `OnwardStep` and the `step` of people's answers. */
  readonly name: string;
  readonly title: string;
  /** Whom or what the step waits for, for the plan. */
  readonly waitsFor: string;
  /** What people are asked for certain, as far as that is known before. */
  readonly asks?: (foreseen: Foreseen) => Question[];
  /** Seconds that it takes where nothing is waited for, about. Missing where it is done in moments. */
  readonly takes?: (foreseen: Foreseen) => number;
}

/** What a step may use of its upgrade: what reads, and of what changes something only `Changes`. */
export interface StepContext<Changes extends EffectName = never> {
  readonly profile: FrozenProfile;
  readonly activities: ActivitiesWith<Changes>;
  /** Names backups, records, claims and everything else that has to be found again. */
  readonly operation: Operation;
  /** What is noted of this operation where a Terminate or a Reset of the workflow does not reach it. */
  readonly installation: Installation;
  readonly from: string;
  readonly to: string;
  /** Shows one line of progress in status and current details. */
  readonly note: (text: string) => void;
  /** Something that people should know of, and that stops nothing: it stands among the checks, in the audit trail, and in the result. */
  readonly warn: (message: string) => void;
  /** Returns at once, or when a pause is over. Call it before every changing activity. */
  readonly checkpoint: () => Promise<void>;
  /**
   * Call it directly before what disrupts customers: a checkpoint, and then every step that keeps things quiet has looked once more.
   * `besides` is for what has to follow on an earlier change, so that no pause comes between.
   */
  readonly lookAgain: (besides?: 'noCheckpoint') => Promise<void>;
  /** Why nothing can be undone any more; undefined where it can. */
  readonly forwardOnly: () => string | undefined;
  /** How often the upgrade has waited so far: what a person has confirmed before is old. */
  readonly waits: () => number;
  /** Endpoint hosts are this upgrade's until it says that they are free; whoever says that they are held claims them anew. */
  readonly hosts: { readonly areFree: () => boolean; readonly say: (state: 'held' | 'free') => void };
  /** Opens a gate and waits until an answer stands its verification. An undo may ask as well. */
  readonly ask: (request: GateRequest) => Promise<GateAnswer>;
  /** Shows what host is waited for, until it is called with undefined. A checkpoint has to follow. */
  readonly awaitHost: (awaited: UpgradeStatus['awaitedHost']) => void;
  /** Starts or stops the clock that shows how long something has been switched off. Of steps made by steps/switch only. */
  readonly switched: (what: string, state: 'off' | 'on') => void;
}

/** Facts on which it hangs whether a step is done. */
export interface Condition {
  /** For people: `Odin Automation below 8.0`. */
  readonly because: string;
  /** Undefined where the facts do not tell: then a person decides. */
  readonly holds: (facts: PreflightFacts) => boolean | undefined;
}

/** What is left out of a path for some providers. `otherwise` are the facts that hold where the step is not done. */
export type Applicability<Gives> =
  | { readonly condition: Condition; readonly choice?: never; readonly otherwise: Gives }
  | { readonly choice: Choice; readonly condition?: never; readonly otherwise: Gives };

/** What a person decides about an optional step. */
export interface Choice {
  /** For people: what is done, and what it means to do without it. */
  readonly question: string;
}

interface Declared<Gives> extends Heading {
  /** Missing where the step is mandatory. */
  readonly applicability?: Applicability<Gives>;
}

/**
 * What a step found or did may be otherwise once the upgrade has waited: it is looked at again directly before the crossing, and by
 * a step that keeps things quiet before everything that disrupts customers.
 */
interface Again<Gives> extends Declared<Gives> {
  readonly keepsQuiet?: true;
}

/** @returns what it gives now, where it had to act or to wait; undefined where all is as it was. */
type LookAgain<Needs, Gives, Changes extends EffectName> = (
  context: StepContext<Changes>,
  facts: Needs,
  /** As they were when it looked last. Its own are among both, where its needs name them as optional. */
  known: Needs,
) => Promise<Gives | undefined>;

/** Changes nothing, so there is nothing to undo; it can stand on both sides of the crossing. */
export interface ReadingStep<Needs, Gives> extends Again<Gives> {
  readonly kind: 'reading';
  readonly again?: LookAgain<Needs, Gives, never>;
  readonly run: (context: StepContext, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
  readonly changes?: never;
}

/** Changes something and can change it back. */
export interface ReversibleStep<Needs, Gives, Changes extends EffectName = EffectName> extends Again<Gives> {
  readonly kind: 'reversible';
  /** What it changes, in this order. */
  readonly changes?: readonly Changes[];
  /** One line for the plan. */
  readonly undoes: string;
  /** What its undo changes. */
  readonly undoneBy?: readonly Changes[];
  /** What it switches off. */
  readonly switchesOff?: string;
  /** Reads what the undo will need, and notes in the ledger that the step begins; changes nothing yet. */
  readonly begin: (context: StepContext<Changes>, facts: Needs) => Promise<Begun<Gives>>;
  /** Only of what switches something off: what it has given, by what was noted each time that it began. */
  readonly recall?: (context: StepContext<Changes>, noted: readonly unknown[]) => Gives;
  /** Only of what switches something off: fails unless all that was noted each time that it began is on again. */
  readonly isOn?: (context: StepContext<Changes>, noted: readonly unknown[]) => Promise<void>;
}

/** A reversible step that knows how to come back. */
export interface Begun<Gives> {
  readonly run: () => Promise<Gives>;
  readonly verify: () => Promise<Gives>;
  readonly again?: (facts: never) => Promise<Gives | undefined>;
  readonly undo: () => Promise<void>;
}

/** How a reversible step is declared; `Before` is what its undo needs to know. */
export interface ReversibleDeclaration<Needs, Before, Gives, Changes extends EffectName = EffectName> extends Heading {
  readonly undoes: string;
  readonly changes?: readonly Changes[];
  readonly undoneBy?: readonly Changes[];
  /** Only of what switches something off. */
  readonly switches?: {
    readonly what: string;
    /** Everything that was ever seen to be on: a later look, after a Reset, may have found it off. */
    readonly merge: (all: readonly Before[]) => Before;
    readonly recall: NonNullable<ReversibleStep<Needs, Gives, Changes>['recall']>;
    readonly isOn: NonNullable<ReversibleStep<Needs, Gives, Changes>['isOn']>;
  };
  readonly keepsQuiet?: true;
  /** Reads what the undo will need. Runs once; its result survives retries of `run`. */
  readonly prepare: (context: StepContext<Changes>, facts: Needs) => Promise<Before>;
  readonly run: (context: StepContext<Changes>, facts: Needs, before: Before) => Promise<Gives>;
  /** Reads whether a person has done the step by hand; fails when not. */
  readonly verify: (context: StepContext<Changes>, facts: Needs, before: Before) => Promise<Gives>;
  /**
   * As of other steps. What it takes in it notes first, by `takesIn`, and adds to `before`, so that the undo knows it, also that of
   * another run.
   */
  readonly again?: (
    context: StepContext<Changes>,
    facts: Needs,
    before: Before,
    takesIn: (more: Before) => Promise<void>,
  ) => Promise<Gives | undefined>;
  /** Restores what `prepare` saw, however far `run` came. Safe to repeat. May ask a person. */
  readonly undo: (context: StepContext<Changes>, facts: Needs, before: Before) => Promise<void>;
}

/** Changes something before the crossing that stays when all else is undone: a runtime is installed, a host restarted. */
export interface LastingStep<Needs, Gives, Changes extends EffectName = EffectName> extends Again<Gives> {
  readonly kind: 'lasting';
  /** What it changes, in this order. */
  readonly changes?: readonly Changes[];
  readonly again?: LookAgain<Needs, Gives, Changes>;
  /** One line for the plan, and for whoever reads what a rollback has kept. */
  readonly keeps: string;
  /** The script of the release that it runs on endpoint hosts, whose workers have to have it. */
  readonly hostScript?: string;
  readonly run: (context: StepContext<Changes>, facts: Needs) => Promise<Gives>;
  /** Reads whether a person has done the step by hand; fails when not. */
  readonly verify: (context: StepContext<Changes>, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

/** The point of no return. */
export interface CrossingStep<Needs, Gives, Changes extends EffectName = EffectName> extends Heading {
  readonly kind: 'crossing';
  /** What it changes, in this order. */
  readonly changes?: readonly Changes[];
  readonly applicability?: never;
  /**
   * @param lookAgain at everything that the crossing rests on, as before the first request. Call it before each further one: it fails,
   * naming every reason, where anything contradicts.
   */
  readonly run: (context: StepContext<Changes>, facts: Needs, lookAgain: () => Promise<void>) => Promise<Gives>;
  readonly verify: (context: StepContext<Changes>, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

/** Changes something for good. */
export interface ForwardStep<Needs, Gives, Changes extends EffectName = EffectName> extends Declared<Gives> {
  readonly kind: 'forward';
  /** What it changes, in this order. */
  readonly changes?: readonly Changes[];
  /**
   * It is done for every application instance: it is given the instances as they are when it begins, and run again for those that
   * have come by the end. Its facts tell for which it was done.
   */
  readonly ofInstances?: true;
  /** What it switches on again. */
  readonly switchesOn?: string;
  /** What it did is looked at once more before the upgrade is over. Fails where it is no longer so. */
  readonly stands?: (context: StepContext<Changes>, facts: Needs) => Promise<void>;
  readonly run: (context: StepContext<Changes>, facts: Needs) => Promise<Gives>;
  /** Reads whether a person has done the step by hand; fails when not. Leave out where nobody can. */
  readonly verify?: (context: StepContext<Changes>, facts: Needs) => Promise<Gives>;
  readonly undo?: never;
}

/** Who changes something has to say what. */
type Says<Changes extends EffectName> = [Changes] extends [never] ? unknown : { readonly changes: readonly Changes[] };

export const readingStep = <Needs, Gives>(
  step: Omit<ReadingStep<Needs, Gives>, 'kind'>,
): ReadingStep<Needs, Gives> => ({ kind: 'reading', ...step });

export function reversibleStep<Needs extends object, Before, Gives, Changes extends EffectName = never>({
  prepare,
  run,
  verify,
  again,
  undo,
  switches,
  ...declared
}: ReversibleDeclaration<Needs, Before, Gives, Changes> & Says<Changes>): ReversibleStep<Needs, Gives> {
  const { name } = declared;
  return {
    kind: 'reversible',
    ...declared,
    ...(switches ? { switchesOff: switches.what, recall: switches.recall, isOn: switches.isOn } : {}),
    begin: async (context, facts) => {
      const note = (now: Needs, seen: Before): Promise<readonly unknown[]> =>
        context.installation.begun(name, now, switches && { what: switches.what, before: seen });
      const seen = await prepare(context, facts);
      const earlier = await note(facts, seen);
      const before = switches ? switches.merge([...(earlier as Before[]), seen]) : seen;
      return {
        run: () => run(context, facts, before),
        verify: () => verify(context, facts, before),
        ...(again
          ? { again: (now: never) => again(context, now, before, async (more) => void (await note(now, more))) }
          : {}),
        undo: () => undo(context, facts, before),
      };
    },
  };
}

export const lastingStep = <Needs, Gives, Changes extends EffectName = never>(
  step: Omit<LastingStep<Needs, Gives, Changes>, 'kind'> & Says<Changes>,
): LastingStep<Needs, Gives> => ({ kind: 'lasting', ...step });

export const crossingStep = <Needs, Gives, Changes extends EffectName = never>(
  step: Omit<CrossingStep<Needs, Gives, Changes>, 'kind'> & Says<Changes>,
): CrossingStep<Needs, Gives> => ({ kind: 'crossing', ...step });

export const forwardStep = <Needs, Gives, Changes extends EffectName = never>(
  step: Omit<ForwardStep<Needs, Gives, Changes>, 'kind'> & Says<Changes>,
): ForwardStep<Needs, Gives> => ({ kind: 'forward', ...step });

/** The facts that a step adds. */
type GivesOf<Step> = Step extends { readonly applicability?: Applicability<infer Gives> } ? Gives : never;
/** Facts that nobody may merely claim: what is switched off is off, and on again, because a step has done it. */
export type Claimable<Facts> = [Extract<keyof Facts, `off:${string}` | `on:${string}`>] extends [never] ? Facts : never;

/** A step that a path can do without: any but the crossing. */
type LeftOut = Declared<unknown> & { readonly kind: 'reading' | 'reversible' | 'lasting' | 'forward' };

/** The step where the condition holds; elsewhere it is skipped, and `otherwise` is what the steps after it are told. */
export const onlyWhere = <Step extends LeftOut>(
  condition: Condition,
  step: Step,
  otherwise: Claimable<GivesOf<Step>>,
): Step => ({ ...step, applicability: { condition, otherwise } });

/** A step that a person may decline. */
export interface Declinable {
  readonly mayBeDeclined: true;
}

/** The step unless a person declines it, with a reason that is kept. It cannot be what meets an obligation of its release. */
export const optional = <Step extends LeftOut>(
  choice: Choice,
  step: Step,
  otherwise: Claimable<GivesOf<Step>>,
): Step & Declinable => ({ ...step, applicability: { choice, otherwise }, mayBeDeclined: true });
