/** JSON Schema of one provider's entry, so that editors check and complete inventory files. */
import { z } from 'zod';
import { providerProfile } from '../contract/provider';

/** The text of `inventory/provider.schema.json`. Draft 7 is what editors understand best. */
export function providerSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(providerProfile, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ $schema, title: 'Provider of the Onward inventory', ...schema }, undefined, 2)}\n`;
}

let names: ReadonlySet<string> | undefined;
/** Names of all fields of an entry, at any depth. */
export function fieldNames(): ReadonlySet<string> {
  return (names ??= namesOfFields(providerProfile));
}

/** Names of all fields that an input of this type may have, at any depth. */
export function namesOfFields(type: z.ZodType): ReadonlySet<string> {
  return new Set(collect(z.toJSONSchema(type, { io: 'input' })));
}

function collect(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const properties = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...properties, ...Object.values(schema).flatMap(collect)];
}
