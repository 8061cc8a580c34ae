import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createProgram, type ProgramContext } from '../../src/cli/program';
import { ONWARD } from '../../src/contract/onward';

const ROOT = path.join(__dirname, '..', '..');
const COMMANDS = createProgram({} as ProgramContext)
  .commands.map((command) => command.name())
  .join('|');
/** A command without the words that make it work where it is read. */
const BARE = new RegExp(`(?<!npx |\\$\\{ONWARD\\} )\\bonward (?:${COMMANDS})\\b`);

const filesOf = (folder: string, ending: string): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)));

const linesOf = (file: string): string[] => readFileSync(path.join(ROOT, file), 'utf8').split('\n');

/** What is printed is code, and no comment. */
const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line);

test('every command is printed by the one name that works in a clone, in the demo and on Windows', () => {
  expect(ONWARD).toBe('npx onward');
  const sources = ['src', 'workflows', 'activities'].flatMap((folder) => filesOf(folder, '.ts'));
  const bare = sources.flatMap((file) =>
    linesOf(file)
      .filter((line) => !isComment(line) && BARE.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(bare).toEqual([]);
});

test('pages give the same commands, and none that PowerShell would take the options of', () => {
  const pages = [...filesOf('docs', '.md'), 'README.md', 'CONTRIBUTING.md', 'inventory/example.yaml.sample'];
  const bare = pages.flatMap((file) =>
    linesOf(file)
      .filter((line) => new RegExp(`(?:^|\`)onward (?:${COMMANDS})\\b`).test(line) || /npm run -s onward/.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
  expect(bare).toEqual([]);
});
