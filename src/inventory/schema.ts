/** What an entry may hold: for editors, as JSON Schema, and for a worker, by the adapters that it has. */
import { z } from 'zod';
import { providerProfile, type ProviderProfile } from '../contract/provider';

/** The text of `inventory/provider.schema.json`. Draft 7 is what editors understand best. */
export function providerSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(providerProfile, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ $schema, title: 'Provider of the Onward inventory', ...schema }, undefined, 2)}\n`;
}

/** Schemas of the settings of every adapter that a worker has, by the adapter's name. `gate` needs none. */
export interface KnownAdapters {
  taskMonitor: Readonly<Record<string, { settings: z.ZodObject }>>;
  connectionTest: Readonly<Record<string, { settings: z.ZodObject }>>;
}

/** How entries are read. */
export class EntrySchema {
  private names: ReadonlySet<string> | undefined;

  private constructor(readonly profile: z.ZodType<ProviderProfile>) {}

  /** For whoever is no worker: the settings of adapters that are not of the product may be anything. */
  static readonly ofAnyWorker = new EntrySchema(providerProfile);

  /** For a worker: an adapter that it does not have is a problem, and so are settings that the adapter's schema refuses. */
  static ofWorker({ taskMonitor, connectionTest }: KnownAdapters): EntrySchema {
    const profile = providerProfile.extend({
      taskMonitor: oneOf(taskMonitor).default({ adapter: 'gate' }),
      connectionTest: oneOf(connectionTest).default({ adapter: 'gate' }),
    });
    // What these adapters take is part of what the contract says of any adapter.
    return new EntrySchema(profile as unknown as z.ZodType<ProviderProfile>);
  }

  /** Names of all fields of an entry, at any depth. */
  get fieldNames(): ReadonlySet<string> {
    return (this.names ??= namesOfFields(this.profile));
  }
}

function oneOf(adapters: KnownAdapters[keyof KnownAdapters]) {
  const names = ['gate', ...Object.keys(adapters)];
  const settings = Object.entries(adapters).map(([name, { settings }]) =>
    settings.safeExtend({ adapter: z.literal(name) }),
  );
  return z.discriminatedUnion('adapter', [z.strictObject({ adapter: z.literal('gate') }), ...settings], {
    // The name itself is not repeated: nobody knows what has got there.
    error: ({ code }) =>
      code === 'invalid_union' ? `must name an adapter that this worker has: ${names.join(', ')}` : undefined,
  });
}

/** Names of all fields that an input of this type may have, at any depth. */
export function namesOfFields(type: z.ZodType): ReadonlySet<string> {
  return new Set(collect(z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' })));
}

function collect(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const properties = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...properties, ...Object.values(schema).flatMap(collect)];
}
