import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, getExternalWorkflowHandle, startChild } from '@temporalio/workflow';
import { consentWorkflowId, type GuardMessages } from '../../src/contract/consent';
import type { ApplicationInstance } from '../../src/contract/facts';
import { providerAttribute, stateAttribute } from '../../src/temporal/search-attributes';
import type { PreflightFacts, TokensAcquired, Validated } from '../facts';
import type { guardConsent } from '../guard-consent';
import { everyOne } from '../pipeline/every-one';
import type { StepContext } from '../pipeline/step';
import { now } from '../pipeline/upgrade-record';

/** Whose tokens there are, and since when; a path without consents knows only when they were seen to work. */
export type Guarded = PreflightFacts & Validated & Partial<TokensAcquired>;

/** One guard per application instance, each of which outlives the upgrade. Safe to repeat. */
export async function startGuards(context: StepContext, { operations, ...times }: Guarded): Promise<void> {
  await everyOne(
    operations.instances.map((instance) =>
      startGuard(context, instance, times.consentedAt?.[instance.id], times.connectionTestedAt[instance.id] ?? now()),
    ),
  );
}

async function startGuard(
  { profile, upgrade }: StepContext,
  { id, name, resourceId }: ApplicationInstance,
  consentedAt: string | undefined,
  testedAt: string,
): Promise<void> {
  const { provider, connectionTest, reminders, notify, timings } = profile;
  const workflowId = consentWorkflowId(provider, id);
  try {
    await startChild<typeof guardConsent>('guardConsent', {
      workflowId,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [
        {
          provider,
          instance: { id, name, resourceId },
          consentedAt: consentedAt ?? testedAt,
          // The 18.4 path asks for no consent: when its tokens were issued is not known to anybody.
          assumed: consentedAt === undefined,
          settings: { connectionTest, reminders, notify, timings },
        },
      ],
      staticSummary: `Consent of "${name}" of ${provider}`,
      staticDetails: 'Warns before the 90 days of the refresh token of one application instance end.',
      typedSearchAttributes: [
        { key: providerAttribute, value: provider },
        { key: stateAttribute, value: 'valid' },
      ],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Without a new consent the guard that runs knows better: a test that succeeds makes no token younger.
    if (consentedAt === undefined) return;
    const renewed: GuardMessages['consentRenewed'] = { by: upgrade, at: consentedAt };
    await getExternalWorkflowHandle(workflowId).signal('consentRenewed', renewed);
  }
}
