/** Longest text of people and systems that is shown; the query `status` has the whole. */
const LONGEST = 1000;

/** For what begins a sentence. */
export const capitalised = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;

/** Text of people and systems must not become markup, nor fill the page. */
export function plain(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}]+/gu, ' ').replace(/[\\`*_{}[\]<>()#|!~&]/g, '\\$&');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
