/** Microsoft's token service, Partner Center and Graph, as far as a connection test goes (systems.md 5.2, 5.3). */
import { randomUUID } from 'node:crypto';
import { fastify, type FastifyInstance } from 'fastify';
import { tokenEnded } from '../world/manual-acts';
import { seededUuid } from '../world/seeded';
import type { Instance, Provider, RefreshToken } from '../world/state';
import type { World } from '../world/world';
import { rewriteUrl, type Answer, type Call, type Wire } from './wire';

/** The one application that all CSP partners share (systems.md 5.1); only the sandbox knows a secret of it. */
export const CPV_APPLICATION = {
  clientId: 'fa0c7b2e-5f0e-4a53-9d0e-2a7b1d0e8a11',
  clientSecret: 'sandbox-cpv-secret',
} as const;

type Api = 'partnerCenter' | 'graph';

interface Access {
  api: Api;
  provider: string;
  tenant: string;
  mfa: boolean;
  expiresAt: number;
}

const ACCESS_TOKEN_SECONDS = 3599;
/** National clouds have hosts of their own (systems.md 5.4). */
const RESOURCES: Record<Api, RegExp> = {
  partnerCenter: /^https:\/\/api\.partnercenter\.microsoft\.com$|\/partnercenter$/,
  graph: /^https:\/\/(graph\.microsoft\.(com|us|de)|graph\.windows\.net|microsoftgraph\.chinacloudapi\.cn)$|\/graph$/,
};

export function microsoftServer(world: World, wire: Wire): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, rewriteUrl });
  const issued = new Map<string, Access>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );

  app.post<{ Params: { tenant: string }; Body: URLSearchParams | undefined }>(
    '/login/:tenant/oauth2/token',
    async (request, reply) => {
      const form = request.body ?? new URLSearchParams();
      const owner = ownerOf(world, form.get('refresh_token') ?? '');
      return wire.serve(reply, call('token', owner?.provider.id, owner && String(owner.instance.instanceId)), {
        perform: () => token(world, issued, form, owner),
        fault: () =>
          tokenError(503, 'temporarily_unavailable', 90033, 'A transient error has occurred. Please try again.'),
      });
    },
  );

  const api = (path: string, which: Api, body: (access: Access) => string, refuse: Refusal): void => {
    app.get(path, async (request, reply) => {
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      const access = bearer === undefined ? undefined : issued.get(bearer);
      return wire.serve(reply, call(`GET ${path}`, access?.provider, access?.tenant), {
        perform: () => {
          if (access?.api !== which || access.expiresAt <= world.now())
            return refuse(401, 'The token is missing or expired.');
          if (which === 'partnerCenter' && !access.mfa) return refuse(403, 'Multi-factor authentication is required.');
          return { status: 200, type: 'application/json', body: body(access), outcome: 'ok' };
        },
        fault: () => refuse(500, 'Internal server error.'),
      });
    });
  };
  for (const path of ['organization', 'legalbusiness']) {
    api(`/partnercenter/v1/profiles/${path}`, 'partnerCenter', partnerProfile, partnerCenterError);
  }
  api('/partnercenter/v1/customers', 'partnerCenter', () => withMark({ totalCount: 0, items: [] }), partnerCenterError);
  api('/graph/v1.0/organization', 'graph', organization, graphError);
  api(
    '/graph/v1.0/me',
    'graph',
    ({ tenant }) => JSON.stringify({ id: tenantId(tenant), userPrincipalName: `admin@${tenant}` }),
    graphError,
  );
  return app;
}

const call = (name: string, provider: string | undefined, object: string | undefined): Call => ({
  system: 'microsoft',
  name,
  provider,
  object,
});

/** Assumption: the id of a tenant follows from its domain, so that everybody in the sandbox agrees on it. */
const tenantId = (tenant: string): string => seededUuid('tenant', tenant);

interface Owner {
  provider: Provider;
  instance: Instance;
  refreshToken: RefreshToken;
}

function ownerOf(world: World, value: string): Owner | undefined {
  for (const provider of world.providers()) {
    for (const instance of provider.instances) {
      const refreshToken = [instance.refreshToken, instance.foreignToken].find((token) => token?.value === value);
      if (refreshToken) return { provider, instance, refreshToken };
    }
  }
  return undefined;
}

function token(world: World, issued: Map<string, Access>, form: URLSearchParams, owner: Owner | undefined): Answer {
  const missing = ['grant_type', 'client_id', 'client_secret', 'refresh_token', 'resource'].filter(
    (name) => !form.get(name),
  );
  if (missing.length > 0) {
    return tokenError(400, 'invalid_request', 90014, `The required field '${missing.join("', '")}' is missing.`);
  }
  if (form.get('grant_type') !== 'refresh_token') {
    return tokenError(400, 'unsupported_grant_type', 70003, 'Only refresh tokens are redeemed in this sandbox.');
  }
  if (form.get('client_id') !== CPV_APPLICATION.clientId) {
    return tokenError(400, 'unauthorized_client', 700016, 'The application was not found in the directory.');
  }
  if (form.get('client_secret') !== CPV_APPLICATION.clientSecret) {
    return tokenError(401, 'invalid_client', 7000215, 'Invalid client secret is provided.');
  }
  if (!owner) return tokenError(400, 'invalid_grant', 65001, 'The user or administrator has not consented.');
  const ended = tokenEnded(world, owner.refreshToken);
  if (ended) return tokenError(400, 'invalid_grant', ended.code, ended.text);
  const resource = form.get('resource') ?? '';
  const api = (['partnerCenter', 'graph'] as const).find((name) => RESOURCES[name].test(resource));
  if (!api)
    return tokenError(400, 'invalid_resource', 50001, `The resource '${resource}' was not found in the tenant.`);
  const access: Access = {
    api,
    provider: owner.provider.id,
    // Assumption: the token speaks for the tenant that gave consent, whichever tenant the request names.
    tenant: owner.refreshToken.tenant,
    mfa: owner.refreshToken.mfa,
    expiresAt: world.now() + ACCESS_TOKEN_SECONDS * 1000,
  };
  const bearer = accessToken(access, resource);
  issued.set(bearer, access);
  const now = Math.floor(world.now() / 1000);
  const body = {
    token_type: 'Bearer',
    scope: 'user_impersonation',
    // Version 1 of the endpoint writes numbers as strings (systems.md 5.2).
    expires_in: String(ACCESS_TOKEN_SECONDS),
    ext_expires_in: String(ACCESS_TOKEN_SECONDS),
    expires_on: String(now + ACCESS_TOKEN_SECONDS),
    not_before: String(now),
    resource,
    access_token: bearer,
    refresh_token: owner.refreshToken.value,
  };
  return { status: 200, type: 'application/json', body: JSON.stringify(body), outcome: 'ok' };
}

function accessToken({ tenant, mfa }: Access, audience: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { aud: audience, tid: tenantId(tenant), amr: mfa ? ['pwd', 'mfa'] : ['pwd'], jti: randomUUID() };
  return [part({ typ: 'JWT', alg: 'none' }), part(claims), ''].join('.');
}

function tokenError(status: number, error: string, code: number, text: string): Answer {
  const body = {
    error,
    error_description: `AADSTS${code}: ${text}`,
    error_codes: [code],
    timestamp: new Date().toISOString().replace('T', ' ').replace(/\.\d+/, ''),
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  };
  return { status, type: 'application/json', body: JSON.stringify(body), outcome: `${status}: ${error} ${code}` };
}

type Refusal = (status: number, text: string) => Answer;

const partnerCenterError: Refusal = (status, text) => ({
  status,
  type: 'application/json',
  body: withMark({ code: String(status), description: text, data: [], source: 'PartnerFD' }),
  outcome: `${status}: ${text}`,
});

const graphError: Refusal = (status, text) => ({
  status,
  type: 'application/json',
  body: JSON.stringify({
    error: {
      code: status === 401 ? 'InvalidAuthenticationToken' : 'generalException',
      message: text,
      innerError: { 'request-id': randomUUID() },
    },
  }),
  outcome: `${status}: ${text}`,
});

/** Partner Center's bodies begin with a byte order mark (systems.md 5.3). */
const withMark = (value: object): string => `\uFEFF${JSON.stringify(value)}`;

const partnerProfile = ({ tenant }: Access): string =>
  withMark({ companyName: tenant, email: `admin@${tenant}`, tenantId: tenantId(tenant), domain: tenant });

const organization = ({ tenant }: Access): string =>
  JSON.stringify({
    value: [{ id: tenantId(tenant), displayName: tenant, verifiedDomains: [{ name: tenant, isInitial: true }] }],
  });
