import { execFileSync } from 'node:child_process';
import { formatDuration } from '../../src/cli/kit/text/duration';
import { markdownText } from '../../src/cli/kit/text/markdown';
import { safeJson, safeLines, safeText } from '../../src/cli/kit/text/safe-text';
import { commandLine } from '../../src/cli/kit/text/shell-quote';

describe('text from people on a terminal', () => {
  test.each([
    ['escape sequences', 'a\u001b[2Jb', 'a\\u{1b}[2Jb'],
    ['bidirectional overrides', 'a\u202eb', 'a\\u{202e}b'],
    ['invisible characters', 'a\u200b\u{e0041}b', 'a\\u{200b}\\u{e0041}b'],
    ['8-bit control characters', 'a\u009b2Jb', 'a\\u{9b}2Jb'],
    ['half a surrogate pair', 'a\ud800b', 'a\\u{d800}b'],
  ])('cannot command it with %s', (_, hostile, shown) => {
    expect(safeText(hostile)).toBe(shown);
  });

  test('stays on its line, and letters of every language stay letters', () => {
    expect(safeText('Čeněk\r\n李明\t✔')).toBe('Čeněk 李明 ✔');
  });

  test('is cut between characters, and says so', () => {
    expect(safeText('😀😀😀😀', 3)).toBe('😀😀…');
  });

  test('does not climb over other lines with a pile of marks', () => {
    expect(safeText(`a${'\u0301'.repeat(500)}`)).toHaveLength(5);
  });

  test('keeps its lines where lines are wanted, up to a limit', () => {
    expect(safeLines('a\r\nb\u2028c\nd', 100, 3)).toEqual(['a', 'b', 'c', '… 1 more lines']);
  });

  test('is the same value in JSON, and harmless to look at', () => {
    const value = { a: 'x\u001b\u009b\u202e\u{e0041}\n', 'b\u200b': ['Süd'] };
    const json = safeJson(value, 2);
    expect(JSON.parse(json)).toEqual(value);
    expect(json.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}/u);
    expect(json).toContain('Süd');
  });

  test('is inert in Markdown', () => {
    expect(markdownText('[x](http://e) | <b> `c` *d*')).toBe('\\[x\\](http://e) \\| &lt;b&gt; \\`c\\` \\*d\\*');
  });
});

describe('a command to be copied', () => {
  const hostile = [`it's`, '$(id)', '`id`', '"quoted"', '<why>', 'a\\b', '!', '*', '', '-x'];

  test('reaches the program exactly as meant through a POSIX shell', () => {
    const printed = execFileSync('sh', ['-c', `printf '%s\\n' ${commandLine(hostile, 'posix')}`], { encoding: 'utf8' });
    expect(printed).toBe(`${hostile.join('\n')}\n`);
  });

  test('doubles every kind of single quote for PowerShell', () => {
    expect(commandLine(['it\u2019s', `'`, 'a b'], 'powershell')).toBe(`'it\u2019\u2019s' '''' 'a b'`);
  });
});

test.each([
  [400, '0.4 s'],
  [12_300, '12 s'],
  [185_000, '3 min 05 s'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
  [-5, '0.0 s'],
])('%d milliseconds are told as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
