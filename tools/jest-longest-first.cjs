/**
 * The files that take minutes begin first, so that none of them is left alone at the end: a clean checkout has no times of
 * an earlier run to go by.
 */
const path = require('node:path');
const { default: Sequencer } = require('@jest/test-sequencer');

const LONG = [
  'test/walks/fleet/walks.full.test.ts',
  'test/e2e/after-the-crossing.test.ts',
  'test/faults/faults.test.ts',
  'test/torture/torture.test.ts',
  'test/e2e/secrets.test.ts',
  'test/walks/walks.test.ts',
  'test/e2e/before-the-crossing.test.ts',
  'test/fleet/crash.full.test.ts',
  'test/replay/recorded-histories.test.ts',
  'test/replay/worker-versioning.full.test.ts',
  'test/build/package.full.test.ts',
  'test/worker/liveness.full.test.ts',
  'test/endpoint/upgrade-on-host.test.ts',
  'test/workflows/upgrade.test.ts',
].map((file) => path.resolve(__dirname, '..', file));

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const usual = super.sort(tests);
    const long = LONG.flatMap((file) => usual.filter((test) => test.path === file));
    return [...long, ...usual.filter((test) => !long.includes(test))];
  }
};
