/** The part of RQL that the APS controller's public clients use (systems.md 2.2). */

/** The query is not understood; the controller answers 400. */
export class InvalidRql extends Error {
  override readonly name = 'InvalidRql';
}

interface Term {
  operator: string;
  args: string[];
}

export interface Page<T> {
  items: T[];
  /** Of the first item, counted from 0. */
  offset: number;
  /** How many there are on all pages. */
  total: number;
}

/**
 * Filters, sorts and cuts `items` as the query string says; `types` are the APS types of an item, for `implementing`.
 * Throws {@link InvalidRql}.
 */
export function query<T extends object>(items: T[], text: string, typesOf: (item: T) => string[]): Page<T> {
  let found = items;
  let window = { offset: 0, count: Infinity };
  let order: ((left: T, right: T) => number) | undefined;
  for (const term of parse(text)) {
    if (term.operator === 'limit') window = limits(term);
    else if (term.operator === 'sort') order = sorting(term);
    else if (term.operator !== 'select') found = found.filter((item) => holds(term, item, typesOf));
  }
  if (order) found = [...found].sort(order);
  return {
    items: found.slice(window.offset, window.offset + window.count),
    offset: window.offset,
    total: found.length,
  };
}

function holds<T extends object>(term: Term, item: T, typesOf: (item: T) => string[]): boolean {
  const [first = '', second = ''] = term.args;
  switch (term.operator) {
    case 'and':
      return term.args.flatMap(parse).every((inner) => holds(inner, item, typesOf));
    case 'implementing':
      return typesOf(item).some((type) => implementsType(type, first));
    case 'eq':
      return valuesAt(item, first).some((value) => value === second);
    case 'like':
      return valuesAt(item, first).some((value) => pattern(second).test(value));
    case 'active':
      return valuesAt(item, 'enabled').every((value) => value === 'true');
    default:
      throw new InvalidRql(`Operator '${term.operator}' is not supported.`);
  }
}

/** Splits `eq(a,b),limit(0,1)`, with commas or ampersands, into its terms. */
function parse(text: string): Term[] {
  return split(text, /[,&]/).map((part) => {
    const match = /^([a-z]+)\((.*)\)$/s.exec(part);
    if (!match) throw new InvalidRql(`'${part}' is no RQL expression.`);
    const [, operator = '', inside = ''] = match;
    return { operator, args: split(inside, /,/) };
  });
}

/** Splits at separators that stand outside of all brackets. */
function split(text: string, separator: RegExp): string[] {
  const parts: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of text) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (depth < 0) throw new InvalidRql('The brackets do not match.');
    if (depth === 0 && separator.test(character)) {
      parts.push(current);
      current = '';
    } else {
      current += character;
    }
  }
  if (depth !== 0) throw new InvalidRql('The brackets do not match.');
  if (current !== '') parts.push(current);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function limits({ args }: Term): { offset: number; count: number } {
  const [offset, count] = args.map(Number);
  if (args.length !== 2 || !args.every((each) => /^\d+$/.test(each))) {
    throw new InvalidRql('limit takes an offset and a count.');
  }
  return { offset: offset ?? 0, count: count ?? 0 };
}

function sorting<T extends object>({ args }: Term): (left: T, right: T) => number {
  const keys = args.map((arg) => ({ path: arg.replace(/^[+-]/, ''), sign: arg.startsWith('-') ? -1 : 1 }));
  return (left, right) => {
    for (const { path, sign } of keys) {
      const [one = '', other = ''] = [valuesAt(left, path)[0], valuesAt(right, path)[0]];
      if (one !== other) return (one < other ? -1 : 1) * sign;
    }
    return 0;
  };
}

/** Assumption: a stored type implements an older minor version of the same major one (systems.md 2.2). */
function implementsType(stored: string, asked: string): boolean {
  const [storedBase, storedMajor, storedMinor] = typeParts(stored);
  const [askedBase, askedMajor, askedMinor] = typeParts(asked);
  return storedBase === askedBase && storedMajor === askedMajor && storedMinor >= askedMinor;
}

function typeParts(type: string): [string, string, number] {
  const match = /^(.*)\/(\d+)(?:\.(\d+))?$/.exec(type);
  return match ? [match[1] ?? '', match[2] ?? '', Number(match[3] ?? 0)] : [type, '', 0];
}

function pattern(like: string): RegExp {
  const escaped = like.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`, 'is');
}

/** The values at a dotted path, each as text; the items of a list one by one. */
function valuesAt(item: object, path: string): string[] {
  let value: unknown = item;
  for (const name of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return [value]
    .flat()
    .filter((single) => typeof single === 'string' || typeof single === 'number' || typeof single === 'boolean')
    .map(String);
}
