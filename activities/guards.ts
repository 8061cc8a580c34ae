/** Starts the guards of consents, in the namespace in which the upgrade itself runs. */
import { Context } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { GuardActivities } from '../src/contract/activities';
import { consentWorkflowId, type GuardInput, type GuardMessages } from '../src/contract/consent';
import { providerAttribute, stateAttribute } from '../src/temporal/search-attributes';

export function createGuardActivities(): GuardActivities {
  return {
    startGuards: async ({ guards, operation }) => {
      for (const guard of guards) await startGuard(guard, operation);
    },
  };
}

async function startGuard(guard: GuardInput, operation: string): Promise<void> {
  const { client, info } = Context.current();
  const { provider, instance, consentedAt, assumed } = guard;
  const workflowId = consentWorkflowId(provider, instance.id);
  try {
    await client.workflow.start<(input: GuardInput) => Promise<never>>('guardConsent', {
      workflowId,
      taskQueue: info.taskQueue,
      args: [guard],
      staticSummary: `Consent of "${instance.name}" of ${provider}`,
      staticDetails: `Warns before the 90 days of the refresh token of one application instance end. Started by ${operation}.`,
      typedSearchAttributes: [
        { key: providerAttribute, value: provider },
        { key: stateAttribute, value: 'valid' },
      ],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Without a new consent the guard that runs knows better: a test that succeeds makes no token younger.
    if (assumed) return;
    const renewed: GuardMessages['consentRenewed'] = { by: operation, at: consentedAt };
    await client.workflow.getHandle(workflowId).signal('consentRenewed', renewed);
  }
}
