/** So many names stand in one sentence; who needs all of them looks where they are kept. */
const MOST_NAMES = 20;

/** `"A", "B" and 998 more`: for sentences, notes and summaries, which go wherever people look. */
export function listed(names: readonly (string | number)[], most = MOST_NAMES): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}
