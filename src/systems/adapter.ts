import type { z } from 'zod';
import type { ResolveSecret } from './xmlrpc-endpoint';

/**
 * One way to learn something that no vendor's API tells, chosen and set in a provider's entry:
 *
 *     taskMonitor: { adapter: <name>, ...settings }
 */
export interface Adapter<Offered, Settings extends z.ZodObject = z.ZodObject> {
  /** Strict, so that a misspelt setting is a problem of the entry. Secrets are references: the settings are kept in histories. */
  settings: Settings;
  create(settings: z.output<Settings>, tools: AdapterTools): Offered;
}

export interface AdapterTools {
  resolveSecret: ResolveSecret;
}

/** Checks that `create` takes what `settings` gives. */
export const defineAdapter = <Offered, Settings extends z.ZodObject>(
  adapter: Adapter<Offered, Settings>,
): Adapter<Offered, Settings> => adapter;
