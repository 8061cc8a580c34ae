/** What the error codes of Microsoft's token service mean for an operator (systems.md 5.2). */
import { redact } from '../inventory/secrets';

const RENEW = 'Give consent again: Manage Refresh Token, Update Refresh Token';

const MEANING: Record<string, string> = {
  '700082': `The refresh token has expired because it was not used. ${RENEW}.`,
  '70008': `The refresh token has expired. ${RENEW}.`,
  '50173': `The refresh token was revoked. ${RENEW}.`,
  '50076': `Multi-factor authentication is missing. Enable it for the user, then give consent again with it.`,
  '50079': `Multi-factor authentication is not set up. Enable it for the user, then give consent again with it.`,
  '65001': `Consent is missing. ${RENEW}, and accept the permissions.`,
  '7000215': 'The client secret is wrong. Correct connectionTest.clientSecret in the inventory.',
  '700016': 'The tenant does not know the application. Check connectionTest.clientId, and the tenant of the account.',
  '90002': 'The tenant does not exist in this cloud. Correct the tenant of the account in the inventory.',
  '50020': 'The user does not belong to the tenant. Give consent as a user of the CSP partner account.',
  '90038': 'The tenant belongs to another national cloud. Check connectionTest.loginUrl and the tenant of the account.',
};

/** `AADSTS70008: ...` in words that say what to do next; the service's own words where the code is not known. */
export function explainTokenError(error: string, description: string): string {
  const code = /AADSTS(\d+)/.exec(description)?.[1];
  const meaning = code === undefined ? undefined : MEANING[code];
  const said = redact(description).split(/\r?\n/, 1)[0]?.slice(0, 300) || error;
  return code !== undefined && meaning !== undefined
    ? `${meaning} (AADSTS${code})`
    : `The token service refused: ${said}. If the refresh token is not valid any more, give consent again.`;
}
