import { operationId } from '../../src/contract/operation';
import type { PreflightFacts } from '../engine/preflight-facts';
import { forwardStep } from '../engine/step';
import { listed } from '../kit/listed';
import { now } from '../kit/now';
import { inBatches, settleEach } from '../kit/settle-all';
import type { ConsentsGuarded, EveryInstanceHasToken, Validated } from './facts';

/** How many guards one activity starts or ends. */
const BATCH = 50;

/**
 * What a release leaves behind whose tokens end after 90 days: one guard per application instance, each of which outlives the
 * upgrade. "You must acquire a new refresh token before the current refresh token expires." Safe to repeat.
 */
export const guardConsents = forwardStep<
  PreflightFacts & EveryInstanceHasToken & Validated & Partial<ConsentsGuarded>,
  ConsentsGuarded,
  'startGuards'
>({
  changes: ['startGuards'],
  ofInstances: true,
  name: 'guardConsents',
  title: 'Guard the refresh tokens',
  waitsFor: 'nobody',
  run: async (context, { operations, everyInstanceHasToken, connectionTestedAt, consentsGuarded = [] }) => {
    const { activities, operation, profile } = context;
    const { provider, connectionTest, reminders, notify, timings } = profile;
    const instances = operations.instances.filter(({ id }) => !consentsGuarded.includes(id));
    const guards = instances.map(({ id, name, resourceId }) => {
      const consentedAt = everyInstanceHasToken.consentedAt[id] ?? undefined;
      return {
        provider,
        instance: { id, name, resourceId },
        consentedAt: consentedAt ?? connectionTestedAt[id] ?? now(),
        // Where the path asked for no consent, nobody knows when the token was issued.
        assumed: consentedAt === undefined,
        settings: { connectionTest, reminders, notify, timings },
      };
    });
    await settleEach(inBatches(guards, BATCH), 1, (batch) =>
      activities.guards.startGuards(
        `start the guards of the consents of ${listed(batch.map(({ instance: { name } }) => `"${name}"`))}`,
        { guards: batch, operation: operationId(operation) },
      ),
    );
    const guarded = operations.instances.map(({ id }) => id);
    context.note(`${guarded.length} tokens are guarded`);
    return { consentsGuarded: guarded };
  },
});

/** For a release whose application renews its tokens by itself: the guards of earlier releases end. Safe to repeat. */
export const endConsentGuards = forwardStep<PreflightFacts, object, 'endGuards'>({
  changes: ['endGuards'],
  ofInstances: true,
  name: 'endConsentGuards',
  title: 'End the guards of the refresh tokens',
  waitsFor: 'nobody',
  run: async (context, { operations: { instances } }) => {
    const { activities, profile } = context;
    const ids = instances.map(({ id }) => id);
    await settleEach(inBatches(ids, BATCH), 1, (batch) =>
      activities.guards.endGuards(`end the guards of the consents of ${profile.provider}`, {
        provider: profile.provider,
        instances: batch,
      }),
    );
    context.note('the application renews its tokens by itself');
    return {};
  },
});
