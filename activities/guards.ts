/** Starts and ends the guards of consents, in the namespace in which the upgrade itself runs. */
import { Context } from '@temporalio/activity';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { GuardActivities } from '../src/contract/activities';
import { shortened } from '../src/contract/fields';
import { consentWorkflowId, type GuardInput, type GuardMessages } from '../src/contract/consent';
import { providerAttribute, stateAttribute } from '../src/temporal/search-attributes';
import { askingTemporal } from './asking-temporal';

export function createGuardActivities(): GuardActivities {
  return {
    startGuards: async ({ guards, operation }) => {
      for (const guard of guards) await startGuard(guard, operation);
    },
    endGuards: async ({ provider, instances }) => {
      for (const instance of instances) await endGuard(consentWorkflowId(provider, instance));
    },
  };
}

async function startGuard(guard: GuardInput, operation: string): Promise<void> {
  const { client, info } = Context.current();
  const { provider, instance, consentedAt, assumed } = guard;
  const workflowId = consentWorkflowId(provider, instance.id);
  try {
    await askingTemporal('starting the guard', workflowId, () =>
      client.workflow.start<(input: GuardInput) => Promise<never>>('guardConsent', {
        workflowId,
        taskQueue: info.taskQueue,
        args: [guard],
        staticSummary: shortened(`Consent of "${instance.name}" of ${provider}`),
        staticDetails: `Warns before the 90 days of the refresh token of one application instance end. Started by the upgrade ${operation}.`,
        typedSearchAttributes: [
          { key: providerAttribute, value: provider },
          { key: stateAttribute, value: 'valid' },
        ],
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Without a new consent the guard that runs knows better: a test that succeeds makes no token younger.
    if (assumed) return;
    const renewed: GuardMessages['consentRenewed'] = { by: operation, at: consentedAt };
    await askingTemporal('telling the guard', workflowId, () =>
      client.workflow.getHandle(workflowId).signal('consentRenewed', renewed),
    );
  }
}

/** A guard ends by cancellation; one that is gone, or never was, is no failure. */
async function endGuard(workflowId: string): Promise<void> {
  const { client } = Context.current();
  try {
    await askingTemporal('ending the guard', workflowId, () => client.workflow.getHandle(workflowId).cancel());
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
