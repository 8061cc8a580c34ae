/**
 * Programs that some tests need and that a machine may lack. A test file says so in its first comment: `@needs java` where all of it
 * does, `@uses powershell` where a part does. What is missing is said once, in one line, and never passes in silence.
 */
const { readFileSync } = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..', '..');

/** What the tests that need a program would have shown. */
const SHOWN = {
  temporal: 'that upgrades, fleets and guards keep their promises on a real Temporal server',
  java: 'that reminders come at their times, and that waiting costs next to nothing, over 200 simulated days',
  python: 'that a client of others, xmlrpc.client, can drive the sandbox',
  osaapi: 'that a published client of Odin Automation, unchanged, cannot tell the sandbox from it',
  promtool: 'that each alert fires when it should, and not before',
  prometheus: 'that every query of the dashboard is answered',
  powershell: 'that the scripts do the same in a genuine PowerShell as in the stand-in',
};

/** Set by the global setup, for the processes that run the tests: why each missing program is missing, as JSON. */
const MISSING = 'ONWARD_MISSING_TOOLS';

/** @returns why, by the name of the program. */
const missingTools = () => JSON.parse(process.env[MISSING] ?? '{}');

const setMissing = (reasons) => {
  process.env[MISSING] = JSON.stringify(reasons);
};

/** Names of the programs that the test file asks for: all of it `needs` them, or a part `uses` them. */
function askedFor(file) {
  const found = { needs: [], uses: [] };
  const [comment = ''] = /^\/\*\*.*?\*\//s.exec(readFileSync(file, 'utf8')) ?? [];
  for (const [, how, name] of comment.matchAll(/@(needs|uses) (\w+)/g)) found[how].push(name);
  return found;
}

/** @throws Error where the test file asks for a program that nobody knows. */
function requireKnown(file) {
  const { needs, uses } = askedFor(file);
  const unknown = [...needs, ...uses].filter((name) => !(name in SHOWN));
  if (unknown.length > 0)
    throw new Error(`${file} asks for ${unknown.join(', ')}; known are ${Object.keys(SHOWN).join(', ')}.`);
}

/** One line for each missing program that one of these test files asks for. */
function linesAbout(files) {
  return Object.entries(missingTools()).flatMap(([name, reason]) => {
    const asking = files.filter((file) => {
      const { needs, uses } = askedFor(file);
      // What a part of a file uses, `npm test` leaves out anyway.
      return [...needs, ...(process.env.ONWARD_TESTS === 'usual' ? [] : uses)].includes(name);
    });
    if (asking.length === 0) return [];
    const names = asking.map((file) => path.relative(ROOT, file)).sort();
    const which = names.length > 4 ? `${names.length} test files, such as ${names[0]}` : names.join(', ');
    return [`Skipped without ${name}: ${which}. They would have shown ${SHOWN[name]}. ${reason}`];
  });
}

module.exports = { askedFor, linesAbout, requireKnown, missingTools, setMissing };
