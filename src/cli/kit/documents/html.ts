/** The third form of a report: parts of a page. Every text is made safe and escaped here. */
import { safeLines, safeText } from '../text/safe-text';
import { BLOCK_LINES, isEmpty, LONGEST, type Section } from './document';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Text for the inside of an element or of a quoted attribute. */
export const html = (text: string, max = LONGEST): string => escaped(safeText(text, max));

/** A section with its heading; `id` is unique on the page. */
export function htmlSection(section: Section, id: string): string {
  return `<section aria-labelledby="${html(id)}"><h2 id="${html(id)}">${html(section.title)}</h2>${htmlBody(section)}</section>`;
}

/** A section without its heading. */
export function htmlBody(section: Section): string {
  if (isEmpty(section)) return `<p>${html(section.otherwise ?? 'Nothing.')}</p>`;
  const { facts = [], table, list = [], block } = section;
  return [
    ...(facts.length === 0
      ? []
      : [`<dl>${facts.map(([label, value]) => `<dt>${html(label)}</dt><dd>${html(value)}</dd>`).join('')}</dl>`]),
    ...(table === undefined ? [] : [htmlTable(section.title, table.head, table.rows)]),
    ...(list.length === 0 ? [] : [`<ul>${list.map((item) => `<li>${html(item)}</li>`).join('')}</ul>`]),
    ...(block === undefined ? [] : [`<pre>${safeLines(block, LONGEST, BLOCK_LINES).map(escaped).join('\n')}</pre>`]),
  ].join('');
}

/** The first cell of a row is its heading. It scrolls by itself, by keyboard too, where the page is narrow. */
function htmlTable(caption: string, head: string[], rows: string[][]): string {
  const heading = head.map((cell) => `<th scope="col">${html(cell)}</th>`).join('');
  const body = rows
    .map(
      ([first = '', ...rest]) =>
        `<tr><th scope="row">${html(first)}</th>${rest.map((cell) => `<td>${html(cell)}</td>`).join('')}</tr>`,
    )
    .join('\n');
  return `<div class="scroll" tabindex="0" role="region" aria-label="${html(caption)}"><table><thead><tr>${heading}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}
