/** What Microsoft says of an error, and what the codes of its token service mean for an operator (systems.md 5.2, 5.3). */
import { redact } from '../inventory/secrets';
import type { HttpAnswer } from './http';

const RENEW = 'Give consent again: Manage Refresh Token, Update Refresh Token';

const MEANING: Record<string, string> = {
  '700082': `The refresh token has expired because it was not used. ${RENEW}.`,
  '70008': `The refresh token has expired. ${RENEW}.`,
  '50173': `The refresh token was revoked. ${RENEW}.`,
  '50076': `Multi-factor authentication is missing. Enable it for the user, then give consent again with it.`,
  '50079': `Multi-factor authentication is not set up. Enable it for the user, then give consent again with it.`,
  '50078': `The sign-in with multi-factor authentication is too old for the tenant's sign-in frequency. ${RENEW}; it ends again after that time.`,
  '70043': `The refresh token has expired by a policy of sign-in frequency. ${RENEW}; have the tenant's administrator look at that policy.`,
  '53003': `A Conditional Access policy of the tenant blocks the token. Have its administrator look at the sign-in log, then give consent again.`,
  '50057': 'The account of the user who gave consent is disabled. Enable it, or give consent again as another user.',
  '65001': `Consent is missing. ${RENEW}, and accept the permissions.`,
  '7000215': 'The client secret is wrong. Correct connectionTest.clientSecret in the inventory.',
  '7000222':
    'The client secret has expired. Make a new one for the application, and put it where connectionTest.clientSecret refers to.',
  '700007':
    'The client id is not accepted. Compare connectionTest.clientId of the inventory with the application that the consents are given to.',
  '700016': 'The tenant does not know the application. Check connectionTest.clientId, and the tenant of the account.',
  '90002': 'The tenant does not exist in this cloud. Correct the tenant of the account in the inventory.',
  '50020': 'The user does not belong to the tenant. Give consent as a user of the CSP partner account.',
  '90038': 'The tenant belongs to another national cloud. Check connectionTest.loginUrl and the tenant of the account.',
};

/** `AADSTS70008: ...` with what to do next; the service's own words are always quoted. */
export function explainTokenError(error: string, description: string, number?: number): string {
  const code = /AADSTS(\d+)/.exec(description)?.[1] ?? number?.toString();
  const meaning = code === undefined ? undefined : MEANING[code];
  const said =
    redact(description).split(/\r?\n/, 1)[0]?.slice(0, LONGEST) ||
    (code === undefined ? error : `${error} (AADSTS${code})`);
  return code !== undefined && meaning !== undefined
    ? `${meaning} Microsoft says: ${said}`
    : `The token service refused: ${said}. If the refresh token is not valid any more, give consent again.`;
}

/** So much of somebody's words is quoted, in characters. */
const LONGEST = 300;

/** Services write the names of their members in one case today and in another one tomorrow. */
export function lowerNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerNames);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name.toLowerCase(), lowerNames(inner)]));
}

/** The places of the words and of the code: Partner Center, Graph and what was before it have one each. */
const WORDS = ['message', 'description', 'error_description', 'errormessage', 'value', 'error'];
const CODES = ['code', 'errorname'];

/** The words of an error, and its code, in whatever shape; names are in lower case. */
export function wordsIn(value: unknown): string | undefined {
  if (Array.isArray(value)) return wordsIn(value[0]);
  if (typeof value === 'string') return redact(value).slice(0, LONGEST) || undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  const members = new Map<string, unknown>(Object.entries(value));
  const inner = [members.get('error'), members.get('odata.error')].find((each) => typeof each === 'object');
  if (inner) return wordsIn(inner);
  const text = WORDS.map((name) => wordsIn(members.get(name))).find((words) => words !== undefined);
  const code = CODES.map((name) => members.get(name)).find(
    (each) => typeof each === 'string' || typeof each === 'number',
  );
  if (text === undefined) return code?.toString();
  return code === undefined ? text : `${text} (${code})`;
}

/** What the header of a refusal says, where its body says nothing. */
export const challengeIn = (answer: HttpAnswer): string | undefined =>
  wordsIn(/error_description="([^"]*)"/.exec(answer.header('www-authenticate') ?? '')?.[1]);
