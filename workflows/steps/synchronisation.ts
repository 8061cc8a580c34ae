import type { StepContext } from '../engine/step';
import { switchSteps } from './switch';

/**
 * Switches the automatic synchronisation of the application with Microsoft off and on again. No vendor API does either: a
 * person does it, also when it is undone, and says where it can be seen.
 */
export const { off: stopSynchronisation, on: startSynchronisation } = switchSteps<'synchronisation', true>({
  what: 'synchronisation',
  offHeading: {
    name: 'stopSynchronisation',
    title: 'Switch the synchronisation off',
    waitsFor: 'an operator who switches it off',
  },
  onHeading: {
    name: 'startSynchronisation',
    title: 'Switch the synchronisation on again',
    waitsFor: 'an operator who switches it on',
  },
  asks: {
    off: () => [{ asked: 'operator', what: 'Switch the automatic synchronisation off', times: 1 }],
    on: () => [{ asked: 'operator', what: 'Switch the automatic synchronisation on', times: 1 }],
  },
  undoes: 'an operator switches it on again',
  look: async () => true,
  off: (context) => ask(context, 'off'),
  on: (context) => ask(context, 'on'),
  merge: () => true,
  // A person switches it on, and sees whether it is on already.
  askWhatWasOn: async () => true,
  // Only a person can see it, and whoever answers by doneByHand has said so.
  expectOff: async () => undefined,
  expectOn: async () => undefined,
});

async function ask(context: StepContext, state: 'off' | 'on'): Promise<void> {
  await context.ask({
    item: state,
    asked: 'operator',
    title: `Automatic synchronisation is switched ${state}`,
    instructions: `In the Provider Control Panel open Services > Applications > Office 365 > Settings and switch the automatic synchronisation ${state}.`,
    evidence: `Since when it is ${state}.`,
  });
  context.note(`switched ${state}`);
}
