/** How a person names some of many things in one answer, which takes some thousand characters. Pure. */

/** For the gate that asks. */
export const HOW_TO_NAME_IDS = 'Their ids and ranges of ids, such as "16, 20-35"; or "all"; or "none".';

/**
 * Of these ids those that the answer names; a range names those of it that there are.
 * @returns in `unknown` every word that names none.
 */
export function namedIds(answer: string, among: readonly number[]): { ids: number[]; unknown: string[] } {
  const words = answer.split(/[\s,;]+/).filter((word) => word !== '');
  const [only = '', ...others] = words;
  if (others.length === 0 && only === 'none') return { ids: [], unknown: [] };
  if (others.length === 0 && only === 'all') return { ids: [...among], unknown: [] };
  const found = words.map((word) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(word) ?? [];
    const ids = first === undefined ? [] : among.filter((id) => id >= Number(first) && id <= Number(last));
    return { word, ids };
  });
  return {
    ids: [...new Set(found.flatMap(({ ids }) => ids))],
    unknown: words.length === 0 ? [answer] : found.flatMap(({ word, ids }) => (ids.length === 0 ? word : [])),
  };
}
