/** What the error codes of Microsoft's token service mean for an operator (systems.md 5.2). */
import { redact } from '../inventory/secrets';

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
export function explainTokenError(error: string, description: string): string {
  const code = /AADSTS(\d+)/.exec(description)?.[1];
  const meaning = code === undefined ? undefined : MEANING[code];
  const said = redact(description).split(/\r?\n/, 1)[0]?.slice(0, 300) || error;
  return code !== undefined && meaning !== undefined
    ? `${meaning} Microsoft says: ${said}`
    : `The token service refused: ${said}. If the refresh token is not valid any more, give consent again.`;
}
