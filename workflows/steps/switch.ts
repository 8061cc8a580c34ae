/**
 * Something that is switched off for the time of an upgrade and on again at its end: one notion, whatever it is. How long it
 * is off is shown, reminded of, and looked at once more at the end; a path that leaves it off does not compile.
 */
import {
  forwardStep,
  reversibleStep,
  type ForwardStep,
  type Heading,
  type ReversibleStep,
  type StepContext,
} from '../engine/step';
import type { EffectName } from '../engine/effects';
import type { Off, On } from './facts';

/** How one thing is switched. `Before` is what was on. */
export interface Switch<What extends string, Before, Changes extends EffectName = never> {
  /** For people, and the name of its clock: `provisioning`. */
  readonly what: What;
  readonly offHeading: Heading;
  readonly onHeading: Heading;
  /** What each of both changes; left out where people do it. */
  readonly changes?: { readonly off: readonly Changes[]; readonly on: readonly Changes[] };
  /** Whom each of both asks; left out where nobody is asked. */
  readonly asks?: { readonly off: NonNullable<Heading['asks']>; readonly on: NonNullable<Heading['asks']> };
  /** One line for the plan. */
  readonly undoes: string;
  /** What is on now, and has to be on again. */
  readonly look: (context: StepContext) => Promise<Before>;
  readonly off: (context: StepContext<Changes>, before: Before) => Promise<void>;
  readonly on: (context: StepContext<Changes>, before: Before) => Promise<void>;
  /** Everything that was seen to be on, at several looks. */
  readonly merge: (looks: readonly Before[]) => Before;
  /** Asks a person what has to be on again, where nothing tells: the ledger is lost. */
  readonly askWhatWasOn: (context: StepContext) => Promise<Before>;
  /**
   * Switches off what is on by now. Notes it by `takesIn` and adds it to `before` first, so that it comes on again whatever happens.
   * Leave out where nobody can look.
   * @returns whether anything was on.
   */
  readonly offAgain?: (
    context: StepContext<Changes>,
    before: Before,
    takesIn: (more: Before) => Promise<void>,
  ) => Promise<boolean>;
  /** Fails unless it is off. */
  readonly expectOff: (context: StepContext, before: Before) => Promise<void>;
  /** Fails unless everything that was on is on again. */
  readonly expectOn: (context: StepContext, before: Before) => Promise<void>;
}

/** The two steps of a switch: a path that has the first needs the second. */
export function switchSteps<What extends string, Before, Changes extends EffectName = never>(
  given: Switch<What, Before, Changes>,
): { off: ReversibleStep<object, Off<What, Before>>; on: ForwardStep<Off<What, Before>, On<What>> } {
  const { what, offHeading, onHeading, undoes, look, off, on, merge, askWhatWasOn, offAgain, expectOff, expectOn } =
    given;
  const { off: changesOff = [], on: changesOn = [] } = given.changes ?? {};
  const offFact: `off:${What}` = `off:${what}`;
  // A computed name of a type parameter widens to an index signature.
  const isOff = (before: Before) => ({ [offFact]: before }) as Off<What, Before>;
  const isOn = () => ({ [`on:${what}`]: true }) as On<What>;
  const beforeOf = (facts: Off<What, Before>): Before => facts[offFact];
  const isOnAgain = async (context: StepContext, facts: Off<What, Before>): Promise<On<What>> => {
    await expectOn(context, beforeOf(facts));
    await context.installation.settled(offHeading.name);
    context.switched(what, 'on');
    return isOn();
  };
  return {
    off: reversibleStep<object, Before, Off<What, Before>, Changes>({
      ...offHeading,
      ...(given.asks ? { asks: given.asks.off } : {}),
      changes: changesOff,
      undoneBy: changesOn,
      undoes,
      switches: {
        what,
        merge,
        recall: (context, noted) => {
          if (noted.length > 0) context.switched(what, 'off');
          return isOff(merge(noted as Before[]));
        },
        isOn: (context, noted) => expectOn(context, merge(noted as Before[])),
      },
      prepare: async (context) => {
        const seen = await look(context);
        return context.installation.isLost ? merge([seen, await askWhatWasOn(context)]) : seen;
      },
      run: async (context, _, before) => {
        await context.checkpoint();
        context.switched(what, 'off');
        await off(context, before);
        return isOff(before);
      },
      verify: async (context, _, before) => {
        await expectOff(context, before);
        context.switched(what, 'off');
        return isOff(before);
      },
      ...(offAgain
        ? {
            keepsQuiet: true,
            again: async (context, _, before, takesIn) =>
              (await offAgain(context, before, takesIn)) ? isOff(before) : undefined,
          }
        : {}),
      undo: async (context, _, before) => {
        await on(context, before);
        await expectOn(context, before);
        context.switched(what, 'on');
      },
    }),
    on: forwardStep<Off<What, Before>, On<What>, Changes>({
      ...onHeading,
      ...(given.asks ? { asks: given.asks.on } : {}),
      changes: changesOn,
      switchesOn: what,
      run: async (context, facts) => {
        await on(context, beforeOf(facts));
        return await isOnAgain(context, facts);
      },
      verify: (context, facts) => isOnAgain(context, facts),
      stands: (context, facts) => expectOn(context, beforeOf(facts)),
    }),
  };
}
