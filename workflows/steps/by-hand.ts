import { forwardStep, type ForwardStep, type Heading, type StepContext } from '../engine/step';
import { settleAll } from '../kit/settle-all';

export interface ByHand extends Omit<Heading, 'waitsFor'> {
  /** What to do, from the procedure, as Markdown. */
  readonly instructions: string;
  /** What counts as evidence. */
  readonly evidence: string;
  /** Where it has to be done; once, where there is no such list. */
  readonly places?: (context: Pick<StepContext, 'profile'>) => { item: string; name: string }[];
}

/** Work for which there is no vendor API: a person does it after the crossing, and says what shows it. */
export const byHand = ({ instructions, evidence, places, ...heading }: ByHand): ForwardStep<object, object> =>
  forwardStep<object, object>({
    ...heading,
    waitsFor: 'an operator who does it',
    asks: (foreseen) => [{ asked: 'operator', what: heading.title, times: places ? places(foreseen).length : 1 }],
    run: async (context) => {
      const ask = (place?: { item: string; name: string }) =>
        context.ask({
          ...(place ? { item: place.item } : {}),
          asked: 'operator',
          title: place ? `${heading.title}: ${place.name}` : heading.title,
          instructions,
          evidence,
        });
      await settleAll(places ? places(context).map((place) => ask(place)) : [ask()]);
      return {};
    },
  });
