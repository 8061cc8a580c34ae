/**
 * Jest reporter: says what was skipped for want of a program, and writes `N passed, N failed, N skipped` to the file ONWARD_TEST_COUNTS, for
 * whoever reads only the last line. A test file that did not even load counts as one failed test.
 */
const { writeFileSync } = require('node:fs');
const { linesAbout } = require('../test/kit/tools.cjs');

module.exports = class Counts {
  onRunComplete(_contexts, results) {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests, testResults } = results;
    for (const line of linesAbout(testResults.map(({ testFilePath }) => testFilePath))) console.error(line);
    const file = process.env.ONWARD_TEST_COUNTS;
    if (!file) return;
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    writeFileSync(file, `${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped\n`);
  }
};
