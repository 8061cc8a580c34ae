/**
 * Whether calls to Partner Center and Graph work with an account's refresh token: what *Test Connection* tests
 * (systems.md 5.2, 5.3). Every answer of Microsoft that says no is a failed check; what says nothing is a SystemError.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { ConnectionTestResult } from '../contract/facts';
import { conceal, redact } from '../inventory/secrets';
import { expectShape } from './answers';
import { counted } from './calls';
import { exchange, statusFailure, type HttpAnswer, type HttpRequest } from './http';
import { expectJson, jsonIn } from './json-answer';
import { challengeIn, explainTokenError, lowerNames, wordsIn } from './microsoft-errors';

const SYSTEM = 'Microsoft';
const DEADLINE_MS = 60_000;

export interface MicrosoftApplication {
  loginUrl: string;
  partnerCenterUrl: string;
  graphUrl: string;
  clientId: string;
  clientSecret: string;
  caFile?: string | undefined;
}

export interface CspAccount {
  /** Tenant id, or any of its verified domains. */
  tenant: string;
  refreshToken: string;
}

type Check = ConnectionTestResult['checks'][number];

/** A check's negative end; its message tells the operator what to do. */
class CheckFailed extends Error {}

const tokenAnswer = z.object({ access_token: z.string().min(1) });
const tokenError = z.object({
  error: z.string(),
  error_description: z.string().nullish(),
  error_codes: z.array(z.number()).optional(),
});

/** What they call multi-factor authentication when it is missing: `Unauthorized_MissingMFA`, `MFA required`. */
const MISSES_MFA = /\bmfa\b|missingmfa|multi-?factor/i;
const partnerProfile = z.object({ tenantId: z.string().optional() });
const organizations = z.object({
  value: z
    .array(z.object({ id: z.string(), verifiedDomains: z.array(z.object({ name: z.string() })).default([]) }))
    .min(1),
});

export async function testMicrosoftConnection(
  application: MicrosoftApplication,
  account: CspAccount,
): Promise<ConnectionTestResult> {
  const test = new ConnectionTest(application, account);
  const checks = await Promise.all([
    check('PartnerCenter', () => test.partnerCenter()),
    check('Graph', () => test.graph()),
  ]);
  return { ok: checks.every(({ ok }) => ok), checks };
}

async function check(name: Check['name'], run: () => Promise<void>): Promise<Check> {
  try {
    await run();
    return { name, ok: true };
  } catch (error) {
    // A result, and so out of reach of what redacts failures.
    if (error instanceof CheckFailed) return { name, ok: false, message: redact(error.message) };
    throw error;
  }
}

class ConnectionTest {
  constructor(
    private readonly application: MicrosoftApplication,
    private readonly account: CspAccount,
  ) {}

  async partnerCenter(): Promise<void> {
    const url = `${trimSlash(this.application.partnerCenterUrl)}/v1/profiles/organization`;
    const { token, answer, about } = await this.get('Partner Center', this.application.partnerCenterUrl, url, {
      'ms-requestid': randomUUID(),
      'ms-correlationid': randomUUID(),
    });
    const { tenantId } = expectShape(partnerProfile, expectJson(answer, about), about);
    this.expectTenant([tenantOf(token), tenantId], []);
  }

  async graph(): Promise<void> {
    const url = `${trimSlash(this.application.graphUrl)}/v1.0/organization`;
    const { token, answer, about } = await this.get('Graph', this.application.graphUrl, url);
    const { value } = expectShape(organizations, expectJson(answer, about), about);
    const domains = value.flatMap(({ verifiedDomains }) => verifiedDomains.map(({ name }) => name));
    this.expectTenant([tenantOf(token), ...value.map(({ id }) => id)], domains);
  }

  private async get(api: string, resource: string, url: string, headers: Record<string, string> = {}) {
    const token = await this.accessToken(api, resource);
    const request: HttpRequest = {
      system: SYSTEM,
      call: `GET ${api}${new URL(url).pathname}`,
      object: `tenant ${this.account.tenant}`,
      method: 'GET',
      url,
      headers: { accept: 'application/json', authorization: `Bearer ${token}`, ...headers },
      caFile: this.application.caFile,
      deadlineMs: DEADLINE_MS,
    };
    return await counted(SYSTEM, async () => {
      const answer = await exchange(request);
      if (answer.status !== 200) throw this.refusal(api, request, answer);
      return { token, answer, about: request };
    });
  }

  /** A refresh token gives an access token for either API (systems.md 5.2). */
  private async accessToken(api: string, resource: string): Promise<string> {
    const { loginUrl, clientId, clientSecret, caFile } = this.application;
    const { tenant, refreshToken } = this.account;
    const request: HttpRequest = {
      system: SYSTEM,
      call: `token for ${api}`,
      object: `tenant ${tenant}`,
      method: 'POST',
      url: `${trimSlash(loginUrl)}/${encodeURIComponent(tenant)}/oauth2/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        resource: trimSlash(resource),
        client_id: clientId,
        client_secret: clientSecret,
        refresh_token: refreshToken,
        scope: 'openid',
      }).toString(),
      caFile,
      deadlineMs: DEADLINE_MS,
    };
    return await counted(SYSTEM, async () => {
      const answer = await exchange(request);
      if (answer.status === 200) {
        const { access_token: token } = expectShape(tokenAnswer, expectJson(answer, request), request);
        conceal(token);
        return token;
      }
      const refused = tokenError.safeParse(lowerNames(jsonIn(answer)));
      if (!refused.success || saysNothing(answer)) throw statusFailure(request, answer.status);
      const { error, error_description: description, error_codes: codes = [] } = refused.data;
      throw new CheckFailed(explainTokenError(error, description ?? '', codes[0]));
    });
  }

  private refusal(api: string, request: HttpRequest, answer: HttpAnswer): Error {
    const said = wordsIn(lowerNames(jsonIn(answer))) ?? challengeIn(answer);
    if (saysNothing(answer)) return statusFailure(request, answer.status, said);
    const answered = `${api} answered HTTP ${answer.status}${said ? `: ${said}` : ''}`;
    if (answer.status < 404 && said !== undefined && MISSES_MFA.test(said))
      return new CheckFailed(
        `${answered}. The token was issued without multi-factor authentication: switch it on for the user, then give consent again with it.`,
      );
    switch (answer.status) {
      case 401:
        return new CheckFailed(`${answered}. The access token was not accepted: give consent again.`);
      case 403:
        return new CheckFailed(
          `${answered}. Give consent as a user with the Global admin and Admin agent roles and multi-factor authentication.`,
        );
      default:
        return new CheckFailed(`${answered}. Check the URLs of connectionTest in the inventory.`);
    }
  }

  /** Somebody signed in to another partner's account: everything works, for the wrong company. */
  private expectTenant(ids: (string | undefined)[], domains: string[]): void {
    const expected = this.account.tenant.toLowerCase();
    const known = (TENANT_ID.test(expected) ? ids : domains).filter((name) => name !== undefined);
    if (known.length === 0 || known.some((name) => name.toLowerCase() === expected)) return;
    throw new CheckFailed(
      `The refresh token belongs to another tenant (${[...new Set(known)].join(', ')}), expected ${expected}. ` +
        'Give consent again, signed in to the CSP partner account of this instance.',
    );
  }
}

/** Down, or asked too often: no word about the token. */
const saysNothing = ({ status }: HttpAnswer): boolean => status >= 500 || status === 429;

const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The claim `tid` of an access token, where it is a JWT; it is only compared, never trusted. */
function tenantOf(accessToken: string): string | undefined {
  const [, payload] = accessToken.split('.');
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return z.object({ tid: z.string() }).safeParse(claims).data?.tid;
  } catch {
    return undefined;
  }
}

const trimSlash = (url: string): string => url.replace(/\/+$/, '');
