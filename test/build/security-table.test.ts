/** The table of docs/security.md is a promise: each row of it is tested, and each test that says so names a row. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root';

const DOCS = path.join(PACKAGE_ROOT, 'docs');
const TESTS = path.join(PACKAGE_ROOT, 'test');
const MARK = /^\s*(?:\/\/|\*|\/\*\*) Security: ([\w, -]+?)\.?(?: \*\/)?$/;
const TEST = /^\s*(?:test|testInFull|describe)\b/;
const COMMENT = /^\s*(?:\/\/|\/?\*)/;

const page = readFileSync(path.join(DOCS, 'security.md'), 'utf8');

/** The rows of the table below a heading, each as its cells. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const named = (cell = ''): string[] => [...cell.matchAll(/`([a-z-]+)`/g)].flatMap(([, row]) => row ?? []);

/** Row -> files of its tests, from the root of the project. */
const promised = new Map(
  rowsBelow('What holds').map(([row, , tests = '']) => [
    named(row)[0] ?? '',
    [...tests.matchAll(/\]\(([^)]+)\)/g)]
      .map(([, link = '']) => path.relative(PACKAGE_ROOT, path.join(DOCS, link)))
      .sort(),
  ]),
);

/** The same, as the tests say it. */
const kept = new Map<string, string[]>();
/** Marks that stand above no test. */
const lost: string[] = [];
for (const file of readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.ts'),
)) {
  const lines = readFileSync(path.join(TESTS, file), 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    const rows = MARK.exec(line)?.[1]?.split(', ') ?? [];
    const code = lines.slice(index + 1).find((each) => !COMMENT.test(each)) ?? '';
    for (const row of rows) {
      if (TEST.test(code)) kept.set(row, [...new Set([...(kept.get(row) ?? []), path.join('test', file)])].sort());
      else lost.push(`${file}: ${row}`);
    }
  }
}

test('each row has the tests that it names, and each test that names a row is named there', () => {
  expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(promised));
});

test('no row is without a test, no test is missing, and no mark stands above anything else', () => {
  expect(promised.size).toBeGreaterThan(10);
  for (const [row, files] of promised) {
    expect({ row, files }).not.toEqual({ row, files: [] });
    for (const file of files)
      expect({ file, is: existsSync(path.join(PACKAGE_ROOT, file)) }).toEqual({ file, is: true });
  }
  expect(lost).toEqual([]);
});

test('what keeps somebody at his worst is a row, for everybody who is trusted', () => {
  const trusted = rowsBelow('Who is trusted with what');
  expect(trusted.map(([who]) => who)).toEqual([
    'reader',
    'sender without keys',
    'starter',
    'operator',
    'approver',
    'partner administrator',
    'control-plane worker',
    'endpoint host',
    'codec server',
    "Temporal's administrators",
  ]);
  for (const [who, , , keeps] of trusted) {
    expect({ who, rows: named(keeps) }).not.toEqual({ who, rows: [] });
    for (const row of named(keeps)) expect({ who, row, is: promised.has(row) }).toEqual({ who, row, is: true });
  }
});
