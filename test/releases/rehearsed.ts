import type { RehearsedCatalogue } from '../kit/rehearsal/rehearsal';
import { WITH_18_5 } from '.';

/** The catalogue of tests, as a rehearsal wants it. */
export const REHEARSED: RehearsedCatalogue = {
  workflowsPath: require.resolve('./workflows.ts'),
  releases: WITH_18_5.simulations,
};
