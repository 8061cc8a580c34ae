/** Longest text of people and systems that is shown; the query `status` has the whole. */
const LONGEST = 1000;

/** For what begins a sentence. */
export const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Text of people and systems must not become markup, nor fill the page. */
export function plain(text: string): string {
  // Longer ones are cut before they are worked on as well.
  const line = text
    .slice(0, LONGEST + 1)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ')
    .replace(/[\\`*_{}[\]<>()#|!~&]/g, '\\$&');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
