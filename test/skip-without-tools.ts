/** Before each test file: where a program is missing that all of the file needs, its tests are counted as skipped. */
import { askedFor, missingTools, requireKnown } from './kit/tools.cjs';

const { testPath } = expect.getState();
const missing = missingTools();
if (testPath !== undefined) requireKnown(testPath);
if (testPath !== undefined && askedFor(testPath).needs.some((name) => missing[name] !== undefined))
  globalThis.test = Object.assign(test.skip, { skip: test.skip });
