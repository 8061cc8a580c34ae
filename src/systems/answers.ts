/** What answers are made of: values that the vendor's systems spell in more than one way. */
import { z } from 'zod';
import { FAILURE } from '../contract/activities';
import { SystemError } from './system-error';
import { LongInteger, Unreadable } from './xmlrpc';

/** An integer, also where it travels as a string, as `bigint` does (systems.md 1.1), or in more than 32 bits. */
export const integer = z.union([
  z.int(),
  z
    .instanceof(LongInteger)
    .transform(({ digits }) => Number(digits))
    .pipe(z.int()),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number)
    .pipe(z.int()),
]);

/** A boolean, documented as 1 and 0 (systems.md 1.1). */
export const flag = z.union([z.boolean(), integer.pipe(z.literal([0, 1])).transform((value) => value === 1)]);

/** As text, whatever its type: a value that nobody will look at spoils none of the others. */
const scalar = z
  .union([
    z.string(),
    z.number(),
    z.boolean(),
    z.instanceof(LongInteger),
    z.instanceof(Date).transform((value) => value.toISOString()),
    z
      .instanceof(Unreadable)
      .transform(({ text }) => text)
      .pipe(z.string()),
  ])
  .nullish()
  .transform((value) => String(value ?? ''));

/** Settings as Operations lists them, `[{name, value}]` (systems.md 1.1), by name. */
export const settings = z
  .array(z.object({ name: z.string(), value: scalar }))
  .transform((list) => byName(list.map(({ name, value }) => [name, value])));

/** Activation parameters as Operations lists them, `[{var_name, var_value}]` (systems.md 1.1), by name. */
export const activationParameters = z
  .array(z.object({ var_name: z.string(), var_value: scalar }))
  .transform((list) => byName(list.map((item) => [item.var_name, item.var_value])));

/** Without a prototype: the names are the system's. */
export function byName(entries: [string, string][]): Record<string, string> {
  const record = Object.create(null) as Record<string, string>;
  for (const [name, value] of entries) record[name] = value;
  return record;
}

/** The answer in its expected shape; throws `MalformedAnswer`, naming every member that is missing or wrong. */
export function expectShape<T>(
  schema: z.ZodType<T>,
  answer: unknown,
  about: { system: string; call: string; object?: string | undefined },
): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const { system, call, object } = about;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'answer'}: ${unreadableOn(path, answer) ?? message}`,
  );
  throw new SystemError({
    type: FAILURE.malformedAnswer,
    system,
    call,
    object,
    problem: `got an answer of an unexpected shape (${problems.join('; ')})`,
    next: 'Check that this version of the system is supported.',
  });
}

/** What is wrong with the first value on the way that could not be read. */
function unreadableOn(path: readonly PropertyKey[], answer: unknown): string | undefined {
  let value = answer;
  for (const key of [...path, '']) {
    if (value instanceof Unreadable) return value.problem;
    value = typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
  }
  return undefined;
}
