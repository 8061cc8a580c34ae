/**
 * How much is tested. `npm run test:all` runs everything there is. `npm test` has to answer in minutes: of each kind it runs the tests that would
 * be missed most, counts the others as skipped, and leaves the files `*.full.test.ts` out.
 */

/** Unless the configuration of `npm test` says otherwise (jest.usual.config.cjs). */
export const everything = process.env['ONWARD_TESTS'] !== 'usual';

/** For a test that `npm test` can do without because a neighbour stands for it. */
export const testInFull = everything ? test : test.skip;

/** How many samples each of the two takes, or of how many cases it takes one. */
export const samples = ({ usually, inFull }: { usually: number; inFull: number }): number =>
  everything ? inFull : usually;
