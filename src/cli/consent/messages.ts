/** The messages by which people tell the guard of a consent that it was renewed, and their commands. */
import { ONWARD } from '../../contract/onward';
import { consentWorkflowId, guardMessages, type GuardMessages } from '../../contract/consent';
import { PROVIDER_HELP, providerName } from '../kit/arguments';
import { option, type MessageFamily } from '../kit/messages/message-family';

/** `instance` is the id of an application instance. */
export type ConsentKey = { provider: string; instance: string };

export const GUARD_MESSAGES: MessageFamily<ConsentKey, GuardMessages> = {
  word: 'answer',
  under: [],
  key: {
    provider: { help: PROVIDER_HELP, read: providerName },
    instance: { help: `id of the application instance, as ${ONWARD} consents shows it` },
  },
  workflowId: ({ provider, instance }) => consentWorkflowId(provider, instance),
  schemas: guardMessages,
  seeLater: () => `${ONWARD} consents tells what the guard made of it.`,
  commands: {
    consentRenewed: {
      command: 'renew',
      help: 'say that an administrator of the partner account has consented anew',
      fields: { at: option('time', 'when, where it was not just now: 2026-11-03, or 2026-11-03T10:00:00Z') },
      examples: ['contoso 67301', 'contoso 67301 --at 2026-11-03'],
    },
    confirmRenewal: {
      command: 'confirm-renewal',
      help: 'say that Test Connection succeeds, where Onward cannot test by itself',
      fields: { evidence: option('text', 'the message that was shown, and when', { placeholder: '<what it showed>' }) },
      examples: ["contoso 67301 --evidence 'Connection is OK, 10:15'"],
    },
  },
};
