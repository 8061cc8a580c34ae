/**
 * Text from people and systems, made safe to print.
 *
 * A terminal obeys what it is sent: escape sequences move the cursor, bidirectional overrides turn words around, and
 * invisible characters hide them. Whatever is not plainly visible is therefore shown as its code point, `\u{202e}`.
 */

/** Control, format (bidi, zero width, tags), private use, lone surrogates, line and paragraph separators, blank letters. */
const INVISIBLE = /\p{Cc}|\p{Cf}|\p{Co}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/gu;
/** A letter carries at most a few marks; a pile of them climbs over the lines above. */
const PILE_OF_MARKS = /(\p{M}{4})\p{M}+/gu;

/** One line of at most `max` characters; line breaks and tabs become spaces, what is cut off is marked by `…`. */
export function safeText(text: string, max = 300): string {
  return cut(visible(text.replace(/[\r\n\t\u2028\u2029]+/gu, ' ')).trim(), max);
}

/** The lines of a longer text, each safe, at most `maxLines` of them; a last line tells how many are left out. */
export function safeLines(text: string, max = 300, maxLines = 60): string[] {
  const lines = text.split(/\r\n|[\r\n\u2028\u2029]/u);
  const shown = lines.slice(0, maxLines).map((line) => cut(visible(line.replace(/\t/gu, '    ')).trimEnd(), max));
  return lines.length > maxLines ? [...shown, `… ${lines.length - maxLines} more lines`] : shown;
}

/** JSON in which whatever a terminal would obey or hide is an escape: the same value, and safe to be shown as it is. */
export function safeJson(value: unknown, indent?: number): string {
  // The line breaks of an indented text are its own: those of the value are escapes already.
  return JSON.stringify(value, null, indent).replace(INVISIBLE, (character) =>
    character === '\n' ? character : character.replace(/[^]/g, escapeUnit),
  );
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

function visible(text: string): string {
  return text
    .replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`)
    .replace(PILE_OF_MARKS, '$1');
}

function cut(text: string, max: number): string {
  const characters = Array.from(text);
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : text;
}
