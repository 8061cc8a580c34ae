/** What people read of a consent: the current details in the Temporal UI, and the notices. */
import { ONWARD } from '../../src/contract/onward';
import type { Notice } from '../../src/contract/activities';
import { TOKEN_LIFETIME_DAYS, type ConsentStatus } from '../../src/contract/consent';
import { plain } from '../kit/plain-text';
import { CONSENT_INSTRUCTIONS } from '../steps/acquire-refresh-tokens';
import { CONNECTION_TEST_INSTRUCTIONS } from '../steps/test-connection';
import { DAY } from './token-clock';

const MARK: Record<ConsentStatus['state'], string> = { valid: '✅', expiring: '⏳', failing: '❌', expired: '🛑' };

/** Markdown. */
export function consentDetails(status: ConsentStatus): string {
  const { state, consentedAt, expiresAt, nextNoticeAt, lastProblem } = status;
  return [
    `${MARK[state]} **${plain(tokenOf(status))}: ${state}**`,
    '',
    `Consent of ${consentedAt}; its ${TOKEN_LIFETIME_DAYS} days end at ${expiresAt}.`,
    ...assumption(status),
    ...tested(status).flatMap((line) => ['', plain(line)]),
    ...(lastProblem === undefined ? [] : ['', `❌ The last renewal did not count: ${plain(lastProblem)}`]),
    ...(status.renewal === undefined ? [] : ['', `✋ ${waitsFor(status.renewal, plain)}`]),
    '',
    `Next notice at ${nextNoticeAt}. ${howToAnswer(status)}`,
  ].join('\n');
}

/** What has to be told at `time`: that the token ends, that the connection does not work, or that a renewal still waits for an operator. */
export function noticeOf(status: ConsentStatus, time: number): Pick<Notice, 'kind' | 'subject' | 'body'> {
  const { state, consentedAt, expiresAt, renewal, lastProblem } = status;
  const days = Math.ceil((Date.parse(expiresAt) - time) / DAY);
  const body = [
    `Consent of ${consentedAt}; its ${TOKEN_LIFETIME_DAYS} days end at ${expiresAt}.`,
    ...(state === 'expired' ? ['Until it is renewed, the application cannot manage or create subscriptions.'] : []),
    ...assumption(status),
    ...tested(status),
    ...(lastProblem === undefined ? [] : [`The last renewal did not count: ${lastProblem}`]),
    ...whatToDo(status).flatMap((paragraph) => ['', paragraph]),
  ].join('\n');
  const token = tokenOf(status);
  switch (state) {
    case 'expired':
      return { kind: 'consentExpired', subject: `${token} has expired`, body };
    case 'expiring':
      return { kind: 'consentExpiring', subject: `${token} expires in ${days} day${days === 1 ? '' : 's'}`, body };
    case 'failing':
      return { ...connectionWords(status), body };
    case 'valid':
      return renewal === undefined
        ? { ...connectionWords(status), body }
        : { kind: 'reminder', subject: `The renewal of ${token} waits for Test Connection`, body };
  }
}

/** Nothing, where there is nothing to renew: the token was renewed, the connection works again, or nobody could test it. */
function whatToDo(status: ConsentStatus): string[] {
  const { state, renewal, lastProblem } = status;
  if (renewal !== undefined) return [`${waitsFor(renewal)}\n${CONNECTION_TEST_INSTRUCTIONS}`, howToAnswer(status)];
  if (state === 'valid' && lastProblem === undefined) return [];
  return [CONSENT_INSTRUCTIONS, howToAnswer(status)];
}

/** How the last connection test ended, in one sentence. */
export function connectionWords(status: ConsentStatus): Pick<Notice, 'kind' | 'subject'> {
  const token = tokenOf(status);
  switch (status.test?.result) {
    case 'fails':
      return { kind: 'connectionFails', subject: `${token}: Test Connection fails` };
    case 'notMade':
      return { kind: 'connectionFails', subject: `${token}: the connection could not be tested` };
    default:
      return { kind: 'connectionWorks', subject: `${token}: Test Connection succeeds` };
  }
}

const TESTED_AGAIN = 'It is tested again once a day.';

function tested({ test }: ConsentStatus): string[] {
  if (test === undefined) return [];
  const said = test.problem === undefined ? '' : ` ${test.problem}`;
  switch (test.result) {
    case 'succeeds':
      return [`Test Connection succeeded at ${test.at}.`];
    case 'fails':
      return [
        `Test Connection fails since ${test.since}.${said}`,
        ...(test.unanswered === undefined ? [] : [`The newest test could not be made: ${test.unanswered}`]),
        TESTED_AGAIN,
      ];
    case 'notMade':
      return [
        `The connection could not be tested since ${test.since}.${said}`,
        `That is no word against the token. ${TESTED_AGAIN}`,
      ];
  }
}

export const tokenOf = ({ instance, provider }: Pick<ConsentStatus, 'instance' | 'provider'>): string =>
  `Refresh token of instance "${instance.name}" of ${provider}`;

const waitsFor = (
  { by, consentedAt, askedAt, contradiction }: NonNullable<ConsentStatus['renewal']>,
  quote = (text: string): string => text,
): string =>
  `${quote(by)} says that the consent was renewed at ${consentedAt}. ` +
  (askedAt === undefined
    ? 'The connection is being tested.'
    : `Since ${askedAt} an operator is asked to press Test Connection.${contradiction === undefined ? '' : ` ${quote(contradiction)}`}`);

const assumption = ({ assumed }: ConsentStatus): string[] =>
  assumed
    ? [
        'The date is an assumption: nobody knows when this token was issued, so its clock starts at the first connection test that Onward saw succeed. The token may end earlier.',
      ]
    : [];

/** For whoever has no `onward` at hand: a signal from the Temporal UI or CLI does the same. */
function howToAnswer({ provider, instance, workflowId, renewal }: ConsentStatus): string {
  const [command, name, payload] =
    renewal?.askedAt === undefined
      ? [`${ONWARD} renew ${provider} ${instance.id}`, 'consentRenewed', { by: '<who>' }]
      : [
          `${ONWARD} confirm-renewal ${provider} ${instance.id} --evidence <what Test Connection showed>`,
          'confirmRenewal',
          { by: '<who>', evidence: '<what Test Connection showed>' },
        ];
  return `Then run \`${command}\`, or signal \`${name}\` to \`${workflowId}\` with \`${JSON.stringify(payload)}\`. An instance that is gone needs no guard: cancel the workflow.`;
}
