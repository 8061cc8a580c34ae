/** A report as content without a form, and its two forms: plain text and Markdown. Texts are made safe here, and only here. */
import { markdownTable, markdownText } from '../text/markdown';
import { safeLines, safeText } from '../text/safe-text';

export interface Section {
  title: string;
  /** Label and value, one per line. */
  facts?: [label: string, value: string][];
  table?: { head: string[]; rows: string[][] };
  list?: string[];
  /** Preformatted lines. */
  block?: string;
  /** What to say where the section would be empty. */
  otherwise?: string;
}

export interface Document {
  title: string;
  sections: Section[];
}

/** Longest text of one cell or fact: `MAX_TEXT` of an answer, and some. */
export const LONGEST = 5000;
export const BLOCK_LINES = 2000;

export function asText({ title, sections }: Document): string {
  const lines = [safeText(title), '='.repeat(safeText(title).length)];
  for (const section of sections) {
    lines.push('', safeText(section.title), '-'.repeat(safeText(section.title).length), ...textBody(section));
  }
  return `${lines.join('\n')}\n`;
}

function textBody(section: Section): string[] {
  if (isEmpty(section)) return [section.otherwise ?? 'Nothing.'];
  const facts = section.facts ?? [];
  const labelWidth = Math.max(0, ...facts.map(([label]) => label.length));
  return [
    ...facts.map(([label, value]) => `${label.padEnd(labelWidth)}  ${safeText(value, LONGEST)}`),
    ...(section.table === undefined ? [] : textTable(section.table.head, section.table.rows)),
    ...(section.list ?? []).map((item) => `- ${safeText(item, LONGEST)}`),
    ...(section.block === undefined ? [] : safeLines(section.block, LONGEST, BLOCK_LINES)),
  ];
}

function textTable(head: string[], rows: string[][]): string[] {
  const cells = [head, ...rows].map((row) => row.map((cell) => safeText(cell, LONGEST)));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function asMarkdown({ title, sections }: Document): string {
  const lines = [`# ${markdownText(title)}`];
  for (const section of sections) lines.push('', `## ${markdownText(section.title)}`, '', ...markdownBody(section));
  return `${lines.join('\n')}\n`;
}

function markdownBody(section: Section): string[] {
  if (isEmpty(section)) return [section.otherwise ?? 'Nothing.'];
  return [
    ...(section.facts ?? []).map(([label, value]) => `- **${markdownText(label)}**: ${markdownText(value, LONGEST)}`),
    ...(section.table === undefined
      ? []
      : markdownTable(
          section.table.head.map((cell) => markdownText(cell)),
          section.table.rows.map((row) => row.map((cell) => markdownText(cell, LONGEST))),
        )),
    ...(section.list ?? []).map((item) => `- ${markdownText(item, LONGEST)}`),
    ...(section.block === undefined ? [] : markdownBlock(section.block)),
  ];
}

/** Fenced by more backticks than the text has in a row, so that the text cannot end the block. */
function markdownBlock(block: string): string[] {
  const longest = Math.max(2, ...Array.from(block.matchAll(/`+/g), ([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return [fence, ...safeLines(block, LONGEST, BLOCK_LINES), fence];
}

export const isEmpty = ({ facts, table, list, block }: Section): boolean =>
  (facts ?? []).length === 0 && (table?.rows ?? []).length === 0 && (list ?? []).length === 0 && block === undefined;
