/** The consents that are guarded: how long each token lives, and what is wrong with it. */
import type { Colors } from 'picocolors/types';
import type { ConnectionTested, ConsentState, ConsentStatus } from '../../contract/consent';
import type { Calling, Display } from '../kit/context';
import { howToSend } from '../kit/messages/how-to-answer';
import { formatDuration, formatTime } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';
import { GUARD_MESSAGES } from './messages';

export function consentsLines(consents: ConsentStatus[], options: Display): string[] {
  if (consents.length === 0) return ['No consent is guarded: an upgrade that succeeds starts the guards.'];
  return consents.flatMap((consent) => consentLines(consent, options));
}

function consentLines(consent: ConsentStatus, { now, paint, calling }: Display): string[] {
  const { provider, instance, state, expiresAt, consentedAt, assumed, test, renewal, lastProblem } = consent;
  const left = Date.parse(expiresAt) - now.getTime();
  const when = left > 0 ? `ends in ${formatDuration(left)}` : `ended ${formatDuration(-left)} ago`;
  const begin = `${assumed ? 'assumed to be of' : 'consent of'} ${formatTime(consentedAt)} UTC`;
  return [
    [
      paint.bold(`${safeText(provider)} ${instance.id}`),
      `"${safeText(instance.name)}"`,
      PAINT[state](paint)(state),
      `${when}, on ${formatTime(expiresAt)} UTC (${begin})`,
    ].join('  '),
    ...(test?.problem === undefined ? [] : [paint.red(`  ${testLine(test)}`)]),
    ...(renewal === undefined ? [] : [`  ${renewalLine(consent, renewal, calling)}`]),
    ...(lastProblem === undefined
      ? []
      : [paint.red(`  The last renewal did not count: ${safeText(lastProblem, 1000)}`)]),
  ];
}

const PAINT: Record<ConsentState, (paint: Colors) => Colors['red']> = {
  valid: ({ green }) => green,
  expiring: ({ yellow }) => yellow,
  failing: ({ red }) => red,
  expired: ({ red }) => red,
};

function testLine({ result, problem, since, unanswered }: ConnectionTested): string {
  const what = result === 'fails' ? 'Test Connection fails' : 'The connection could not be tested';
  const newest = unanswered === undefined ? '' : ` The newest test could not be made: ${safeText(unanswered, 1000)}`;
  return `${what} since ${formatTime(since)} UTC. ${safeText(problem ?? '', 1000)}${newest}`;
}

function renewalLine(
  { provider, instance }: ConsentStatus,
  { by, askedAt, contradiction }: NonNullable<ConsentStatus['renewal']>,
  calling: Calling,
): string {
  if (askedAt === undefined) return `Renewed by ${safeText(by)}; the connection is being tested.`;
  const key = { provider, instance: String(instance.id) };
  const { onward } = howToSend(GUARD_MESSAGES, key, 'confirmRenewal', {}, calling);
  const against = contradiction === undefined ? '' : ` ${safeText(contradiction, 1000)}`;
  return `Renewed by ${safeText(by)}; press Test Connection, then: ${onward}${against}`;
}
