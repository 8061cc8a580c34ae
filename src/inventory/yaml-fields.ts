/** Where a field stands in a YAML text, and what is wrong with it, for errors that name the line. */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, visit } from 'yaml';
import type { z } from 'zod';
import { nearMiss } from './near-miss';

export type Field = readonly PropertyKey[];

export interface Finding {
  field: Field;
  message: string;
}

/** The first thing that is wrong with the YAML: the others mostly follow from it. */
export function syntaxMistake(document: Document): { offset: number; message: string } | undefined {
  const [said] = [...document.errors, ...document.warnings];
  if (said !== undefined) return { offset: said.pos[0], message: withoutQuotation(said.message) };
  let mistake: { offset: number; message: string } | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      const message =
        'a value that begins with * is an alias, and this one stands for nothing; put the value in quotes';
      mistake = { offset: alias.range?.[0] ?? 0, message };
      return visit.BREAK;
    },
  });
  return mistake;
}

/** `Unresolved tag: !hunter2` without the quotation: the parser tells a piece of the text, which may be a secret. */
const withoutQuotation = (message: string): string => message.replace(/(?<=\w): .*$/s, '');

/** What zod found, in our words. @param names fields that may be meant by one that does not exist */
export function explain(issue: z.core.$ZodIssue, value: unknown, names: Iterable<string>): Finding[] {
  const { path: field, message } = issue;
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return optionMeant(issue.errors).flatMap((inner) =>
      explain({ ...inner, path: [...field, ...inner.path] }, value, names),
    );
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = nearMiss(key, names);
      return {
        field: [...field, key],
        message: `there is no such field${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      };
    });
  }
  if (issue.code === 'invalid_type' && valueAt(value, field) === undefined) {
    return [{ field, message: message.startsWith('is missing') ? message : `is missing (${issue.expected})` }];
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map(({ message }) => ({ field, message: `as a name: ${message}` }));
  }
  return [{ field, message }];
}

/** What is wrong with the adapter that was meant: the one whose name is right, else one that has any other name. */
function optionMeant(options: z.core.$ZodIssue[][]): z.core.$ZodIssue[] {
  return options.find((issues) => issues.every(({ path: [name] }) => name !== 'adapter')) ?? options.at(-1) ?? [];
}

/** YAML reads a name like 18.10 as a number, which is 18.1: names of this map that are not what they look like. */
export function numbersAsNames(document: Document.Parsed, field: Field): Finding[] {
  const map = document.getIn(field, true);
  if (!isMap(map)) return [];
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key) || typeof key.value !== 'number' || key.source === String(key.value)) return [];
    return [
      {
        field: [...field, key.value],
        message: `YAML reads ${key.source} as the number ${key.value}; put it in quotes`,
      },
    ];
  });
}

function valueAt(value: unknown, field: Field): unknown {
  return field.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** Of a field, or of the nearest enclosing one that is there. */
export function offsetOf(document: Document.Parsed, field: Field): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  for (const key of field) {
    const found = child(document, node, key);
    if (found === undefined) break;
    ({ node, offset } = found);
  }
  return offset;
}

function child(document: Document, node: unknown, key: PropertyKey): { node: unknown; offset: number } | undefined {
  const at = isAlias(node) ? node.resolve(document) : node;
  if (isMap(at)) {
    const pair = at.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
    return pair && { node: pair.value, offset: (pair.key as Node).range?.[0] ?? 0 };
  }
  if (isSeq(at)) {
    const item = at.items[Number(key)] as Node | undefined;
    return item && { node: item, offset: item.range?.[0] ?? 0 };
  }
  return undefined;
}
