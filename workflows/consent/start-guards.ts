import type { PreflightFacts, TokensAcquired, Validated } from '../facts';
import { everyOne } from '../pipeline/every-one';
import type { StepContext } from '../pipeline/step';
import { now } from '../pipeline/upgrade-record';

/** Whose tokens there are, and since when; a path without consents knows only when they were seen to work. */
export type Guarded = PreflightFacts & Validated & Partial<TokensAcquired>;

/** One guard per application instance, each of which outlives the upgrade. Safe to repeat. */
export async function startGuards(
  { activities, profile, upgrade }: StepContext,
  { operations, ...times }: Guarded,
): Promise<void> {
  const { provider, connectionTest, reminders, notify, timings } = profile;
  await everyOne(
    operations.instances.map(({ id, name, resourceId }) => {
      const consentedAt = times.consentedAt?.[id];
      return activities.guards.startGuard(`start the guard of the consent of "${name}"`, {
        guard: {
          provider,
          instance: { id, name, resourceId },
          consentedAt: consentedAt ?? times.connectionTestedAt[id] ?? now(),
          // The 18.4 path asks for no consent: when its tokens were issued is not known to anybody.
          assumed: consentedAt === undefined,
          settings: { connectionTest, reminders, notify, timings },
        },
        upgrade,
      });
    }),
  );
}
