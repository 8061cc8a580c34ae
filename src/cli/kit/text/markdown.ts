import { safeText } from './safe-text';

/** Text from people and systems as inert Markdown: it cannot become a link, a table cell, HTML or emphasis. */
export function markdownText(text: string, max?: number): string {
  return safeText(text, max)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[\\`*_[\]|~#!]/g, '\\$&');
}

export function markdownTable(head: string[], rows: string[][]): string[] {
  const row = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}
