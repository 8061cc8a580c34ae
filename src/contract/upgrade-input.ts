import { z } from 'zod';
import { by, text } from './fields';
import { fleetMembership } from './fleet';

/** Input of the workflow `upgradeProvider`. */
export const upgradeInput = z.strictObject({
  /** Id of the provider in the inventory. */
  provider: z
    .string({ error: 'provider must be a text: the id of a provider in the inventory' })
    .min(1, 'provider must not be empty'),
  /** The release to upgrade to, `18.4.1`. May be left out while only one fits what the provider runs. */
  to: text('to', 50).optional(),
  /** Who starts the upgrade, for the audit trail and the four eyes of `approveCrossing`. */
  startedBy: by.optional(),
  /** Only fleets give it: the upgrade reports to its wave. */
  fleet: fleetMembership.optional(),
});
export type UpgradeRequest = z.output<typeof upgradeInput>;
export type UpgradeInput = z.input<typeof upgradeInput>;
