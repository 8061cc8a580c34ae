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
import type { Off, On } from './facts';

/** How one thing is switched. `Before` is what was on. */
export interface Switch<What extends string, Before> {
  /** For people, and the name of its clock: `provisioning`. */
  readonly what: What;
  readonly offHeading: Heading;
  readonly onHeading: Heading;
  /** One line for the plan. */
  readonly undoes: string;
  /** What is on now, and has to be on again. */
  readonly look: (context: StepContext) => Promise<Before>;
  readonly off: (context: StepContext, before: Before) => Promise<void>;
  readonly on: (context: StepContext, before: Before) => Promise<void>;
  /**
   * Switches off what is on by now, and adds it to `before` first, so that it comes on again whatever happens. Leave out where nobody
   * can look.
   * @returns whether anything was on.
   */
  readonly offAgain?: (context: StepContext, before: Before) => Promise<boolean>;
  /** Fails unless it is off. */
  readonly expectOff: (context: StepContext, before: Before) => Promise<void>;
  /** Fails unless everything that was on is on again. */
  readonly expectOn: (context: StepContext, before: Before) => Promise<void>;
}

/** The two steps of a switch: a path that has the first needs the second. */
export function switchSteps<What extends string, Before>(
  given: Switch<What, Before>,
): { off: ReversibleStep<object, Off<What, Before>>; on: ForwardStep<Off<What, Before>, On<What>> } {
  const { what, offHeading, onHeading, undoes, look, off, on, offAgain, expectOff, expectOn } = given;
  const offFact: `off:${What}` = `off:${what}`;
  // A computed name of a type parameter widens to an index signature.
  const isOff = (before: Before) => ({ [offFact]: before }) as Off<What, Before>;
  const isOn = () => ({ [`on:${what}`]: true }) as On<What>;
  const beforeOf = (facts: Off<What, Before>): Before => facts[offFact];
  return {
    off: reversibleStep<object, Before, Off<What, Before>>({
      ...offHeading,
      undoes,
      prepare: (context) => look(context),
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
            again: async (context, _, before) => ((await offAgain(context, before)) ? isOff(before) : undefined),
          }
        : {}),
      undo: async (context, _, before) => {
        await on(context, before);
        context.switched(what, 'on');
      },
    }),
    on: forwardStep<Off<What, Before>, On<What>>({
      ...onHeading,
      run: async (context, facts) => {
        await on(context, beforeOf(facts));
        await expectOn(context, beforeOf(facts));
        context.switched(what, 'on');
        return isOn();
      },
      verify: async (context, facts) => {
        await expectOn(context, beforeOf(facts));
        context.switched(what, 'on');
        return isOn();
      },
      stands: (context, facts) => expectOn(context, beforeOf(facts)),
    }),
  };
}
