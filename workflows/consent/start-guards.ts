import { operationId } from '../../src/contract/operation';
import type { PreflightFacts, TokensAcquired, Validated } from '../steps/facts';
import type { StepContext } from '../engine/step';
import { now } from '../upgrade/upgrade-record';

/** Whose tokens there are, and since when; a path without consents knows only when they were seen to work. */
export type Guarded = PreflightFacts & Validated & Partial<TokensAcquired>;

/** One guard per application instance, each of which outlives the upgrade. Safe to repeat. */
export async function startGuards(
  { activities, profile, operation }: StepContext,
  { operations, ...times }: Guarded,
): Promise<void> {
  const { provider, connectionTest, reminders, notify, timings } = profile;
  const guards = operations.instances.map(({ id, name, resourceId }) => {
    const consentedAt = times.consentedAt?.[id];
    return {
      provider,
      instance: { id, name, resourceId },
      consentedAt: consentedAt ?? times.connectionTestedAt[id] ?? now(),
      // The 18.4 path asks for no consent: when its tokens were issued is not known to anybody.
      assumed: consentedAt === undefined,
      settings: { connectionTest, reminders, notify, timings },
    };
  });
  const names = guards.map(({ instance: { name } }) => `"${name}"`).join(', ');
  await activities.guards.startGuards(`start the guards of the consents of ${names}`, {
    guards,
    operation: operationId(operation),
  });
}
