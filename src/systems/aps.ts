/** Client of the APS controller, the REST bus on port 6308 (systems.md section 2). Reads only. */
import { z } from 'zod';
import type { CompanionPackage } from '../contract/facts';
import type { ApsConnection } from '../contract/provider';
import { byName, expectShape } from './answers';
import { counted } from './calls';
import { answerFailure, exchange, type HttpAnswer, type HttpRequest } from './http';
import { expectJson, jsonIn } from './json-answer';
import type { OperationsClient } from './operations';
import { SystemError } from './system-error';

const SYSTEM = 'APS controller';
const DEADLINE_MS = 60_000;
const PAGE_SIZE = 100;
/** APS type of a service template of Operations; a later minor version implements it (systems.md 1.5, 2.2). */
const SERVICE_TEMPLATE_TYPE = 'http://parallels.com/aps/types/pa/serviceTemplate/1.1';

/** Body of an error (systems.md 2.6). */
const errorBody = z.object({ error: z.string().optional(), message: z.string().optional() });
const EXPIRED_TOKEN = 'APS::Util::AuthenticationFailed';

const packages = z.array(
  z.object({
    id: z.string(),
    version: z.string(),
    release: z.union([z.string(), z.number()]),
    enabled: z.boolean().default(true),
  }),
);

/** Of every application there is: what another one's looks like spoils none of ours. */
const applications = z.array(
  z.object({
    aps: z.object({ endpoint: z.string() }).optional().catch(undefined),
    app: z
      .object({ aps: z.object({ id: z.string() }) })
      .optional()
      .catch(undefined),
  }),
);

const serviceTemplates = z.array(z.object({ serviceTemplateId: z.int() }));

/** Failures of every method: as `exchange` does, and those that `statusFailure` makes of an HTTP status. */
export class ApsClient {
  private token: Promise<string> | undefined;

  constructor(
    private readonly connection: ApsConnection,
    private readonly operations: OperationsClient,
  ) {}

  /** Imported versions of a package, `18.4.1-12` (systems.md 2.3). */
  async packageVersions(packageUri: string): Promise<string[]> {
    const all = await this.packages();
    return all.filter(({ application }) => application === packageUri).map(({ version }) => version);
  }

  /**
   * The package list: every imported package of every application, by its package id (systems.md 2.3).
   *
   * Assumption: it says of a package that is disabled that it is not `enabled`; of one of which it says nothing, instances may get it.
   */
  async packages(): Promise<(CompanionPackage & { enabled: boolean })[]> {
    const all = await this.list('aps/2/packages', [], packages);
    return all.map(({ id, version, release, enabled }) => ({
      application: id,
      version: `${version}-${release}`,
      enabled,
    }));
  }

  /**
   * "Application API end-point URI" of every application instance that tells one, by the UUID of its root resource.
   * RQL does not work on applications, so all are read (systems.md 2.2).
   *
   * Assumption: the answer has the endpoint under `aps.endpoint`, as the request that installs it does (systems.md 2.3).
   */
  async applicationEndpoints(): Promise<Map<string, string>> {
    const all = expectShape(applications, await this.getJson('aps/2/applications'), about('aps/2/applications'));
    return new Map(
      all.flatMap(({ aps, app }): [string, string][] => (app && aps?.endpoint ? [[app.aps.id, aps.endpoint]] : [])),
    );
  }

  /** Ids (`st_id`) of the service templates that carry resources of a package (systems.md 1.5, way 1). */
  async serviceTemplateIds(packageUri: string): Promise<number[]> {
    const query = [`implementing(${SERVICE_TEMPLATE_TYPE})`, `eq(appIDs,${packageUri})`];
    const found = await this.list('aps/2/resources', query, serviceTemplates);
    return [...new Set(found.map(({ serviceTemplateId }) => serviceTemplateId))];
  }

  /** A resource's properties, nested ones as `outer.inner`, without the `aps` member (systems.md 2.3). */
  async resourceProperties(resourceId: string): Promise<Record<string, string>> {
    const path = `aps/2/resources/${encodeURIComponent(resourceId)}`;
    const answer = await this.getJson(path);
    const resource = expectShape(z.record(z.string(), z.unknown()), answer, about(path));
    return byName(Object.entries(resource).flatMap(([name, value]) => (name === 'aps' ? [] : flatten(name, value))));
  }

  /** All pages of a list; the total stands in the header Content-Range, `items 0-99/100` (systems.md 2.2). */
  private async list<T>(path: string, query: string[], shape: z.ZodType<T[]>): Promise<T[]> {
    const items: T[] = [];
    for (;;) {
      const page = `${path}?${[...query, `limit(${items.length},${PAGE_SIZE})`].join(',')}`;
      const answer = await this.get(page);
      const received = expectShape(shape, expectJson(answer, about(page)), about(page));
      items.push(...received);
      const total = Number(/\/(\d+)$/.exec(answer.header('content-range') ?? '')?.[1] ?? NaN);
      // Without a total, a page that is not full is the last one.
      const complete = Number.isNaN(total) ? received.length !== PAGE_SIZE : items.length >= total;
      if (complete || received.length === 0) return items;
    }
  }

  private async getJson(path: string): Promise<unknown> {
    return expectJson(await this.get(path), about(path));
  }

  /** With the kept token; when the controller finds it expired, once more with a new one (systems.md 2.1). */
  private async get(path: string): Promise<HttpAnswer> {
    const kept = (this.token ??= this.newToken());
    const token = await kept;
    return await counted(SYSTEM, async () => {
      const first = await this.send(path, token);
      if (!isExpired(first.answer)) return judge(first);
      if (this.token === kept) this.token = this.newToken();
      return judge(await this.send(path, await (this.token ??= this.newToken())));
    });
  }

  private newToken(): Promise<string> {
    const token = this.operations.userToken(this.connection.userId);
    // A failed attempt must not be kept; whoever awaits the token sees the failure.
    token.catch(() => {
      if (this.token === token) this.token = undefined;
    });
    return token;
  }

  private async send(path: string, token: string): Promise<{ request: HttpRequest; answer: HttpAnswer }> {
    const base = this.connection.url.endsWith('/') ? this.connection.url : `${this.connection.url}/`;
    const request: HttpRequest = {
      ...about(path),
      method: 'GET',
      url: new URL(path, base).href,
      headers: { accept: 'application/json', 'aps-token': token },
      caFile: this.connection.caFile,
      verifyTls: this.connection.verifyTls,
      legacyTls: this.connection.legacyTls,
      deadlineMs: DEADLINE_MS,
    };
    return { request, answer: await exchange(request) };
  }
}

const about = (path: string) => ({ system: SYSTEM, call: `GET /${path}` });

function judge({ request, answer }: { request: HttpRequest; answer: HttpAnswer }): HttpAnswer {
  if (answer.status === 200) return answer;
  const { error, message } = readError(answer);
  const detail = [error, message].filter(Boolean).join(': ') || undefined;
  const failure = answerFailure(request, answer, detail);
  if (answer.status !== 400) throw failure;
  throw new SystemError({
    type: failure.type,
    system: request.system,
    call: request.call,
    problem: `was answered with HTTP 400${detail ? `: ${detail}` : ''}`,
    next: 'It is repeated, because transactions that meet are answered so; if it stays so, check what the message names.',
    retryable: true,
  });
}

const isExpired = (answer: HttpAnswer): boolean => answer.status === 403 && readError(answer).error === EXPIRED_TOKEN;

/** Error bodies may be no JSON at all (systems.md 2.6). */
const readError = (answer: HttpAnswer): z.output<typeof errorBody> => errorBody.safeParse(jsonIn(answer)).data ?? {};

function flatten(name: string, value: unknown): [string, string][] {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return [[name, String(value)]];
    case 'object':
      return Object.entries(value ?? {}).flatMap(([inner, item]) => flatten(`${name}.${inner}`, item));
    default:
      return [];
  }
}
