/**
 * Connections to the Temporal server, configured the way every Temporal tool is: `TEMPORAL_*` variables and the profiles
 * of `temporal.toml`. Whoever connects learns at once, in one sentence, what is wrong and what to do.
 *
 * Commands load this, so it loads nothing of `@temporalio/worker`: its native core takes longer than most commands do.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Client, Connection, QueryNotRegisteredError, type WorkflowClientInterceptor } from '@temporalio/client';
import type { SearchAttributeType } from '@temporalio/common';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';
import { ONWARD } from '../contract/onward';
import { ASK_AGAIN } from '../contract/ask-again';
import { conceal, redact } from '../inventory/secrets';
import { problemsOfSettings, proxyFor } from './check-settings';
import { clientConverter, type EncryptionSettings } from './data-converter';
import { SEARCH_ATTRIBUTES } from './search-attributes';

export interface TemporalSettings extends EncryptionSettings {
  connectionOptions: Pick<NativeConnectionOptions, 'address' | 'tls' | 'apiKey' | 'metadata'>;
  /** What a worker goes through; a client takes it from the environment itself. */
  proxy?: NativeConnectionOptions['proxy'];
}

/** The server cannot be used as it is; the message says what to do. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
}

/** The settings cannot be used as they are; the message lists every problem, and no secret. */
export class InvalidTemporalSettings extends TemporalUnavailable {
  constructor(
    readonly problems: string[],
    options?: ErrorOptions,
  ) {
    super(`${UNUSABLE_SETTINGS}\n${problems.map((problem) => `  ${problem}`).join('\n')}`, options);
  }
}
export const UNUSABLE_SETTINGS =
  "Temporal's configuration cannot be used. Look at the TEMPORAL_* variables, or at the same in temporal.toml (`temporal config list` prints what that says):";

/** How long a server may take to answer a first question. */
const DEADLINE_MS = 10_000;

/**
 * What Temporal's environment configuration says: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS_*`, `TEMPORAL_PROFILE`, and the file `TEMPORAL_CONFIG_FILE` or `temporal.toml` in Temporal's configuration
 * folder. By default `localhost:7233`, namespace `default`.
 *
 * @throws InvalidTemporalSettings with everything that is wrong with it.
 */
export function temporalSettings(env: NodeJS.ProcessEnv = process.env): TemporalSettings {
  const profile = profileOf(env);
  const problems = problemsOfSettings(profile, env);
  if (profile.apiKey) conceal(profile.apiKey);
  if (problems.length > 0) throw new InvalidTemporalSettings(problems);
  const { connectionOptions, namespace = 'default' } = toClientOptions(profile);
  const { address = 'localhost:7233', tls, apiKey, metadata } = connectionOptions;
  const proxy = proxyFor(address, env);
  return {
    connectionOptions: { address, tls, apiKey, metadata },
    namespace,
    ...(proxy && { proxy }),
    ...encryptionOf(env),
  };
}

function profileOf(env: NodeJS.ProcessEnv): ReturnType<typeof loadClientConfigProfile> {
  try {
    // None of its values is undefined, whatever the type says.
    return loadClientConfigProfile({ overrideEnvVars: env as Record<string, string> });
  } catch (error) {
    throw new InvalidTemporalSettings([reason(error)], { cause: error });
  }
}

/** A server of our own on this machine, whatever the environment says of servers. */
export function localSettings(address: string): TemporalSettings {
  return { connectionOptions: { address }, namespace: 'default', ...encryptionOf(process.env) };
}

/** How payloads are encrypted there. */
export const encryptionOf = (env: NodeJS.ProcessEnv): Omit<EncryptionSettings, 'namespace'> => ({
  codecKeys: env['ONWARD_CODEC_KEYS'],
  plaintextUntil: env['ONWARD_PLAINTEXT_UNTIL'],
});

/**
 * A client of a server that answers and has the namespace. Close it with `client.connection.close()`.
 *
 * @throws TemporalUnavailable
 * @throws InvalidCodecKeys
 */
export async function connectClient(settings = temporalSettings()): Promise<Client> {
  const { connectionOptions, namespace } = settings;
  const asking = new AsyncLocalStorage<true>();
  const converter = await clientConverter(settings, () => asking.getStore() === true);
  // The client's own connection tries again for a while; the first question must not, where nobody listens.
  const probe = Connection.lazy({ ...connectionOptions, interceptors: [] });
  await requireNamespace(probe, settings).finally(() => probe.close());
  return new Client({
    connection: Connection.lazy(connectionOptions),
    namespace,
    dataConverter: converter,
    interceptors: { workflow: [asksAgain, { query: (input, next) => asking.run(true, () => next(input)) }] },
  });
}

/** What the SDK puts in place of a message that it encrypts. The client does not decrypt it where a query failed. */
export const ENCODED_FAILURE = 'Encoded failure';
/** The second question travels with the workflow task that the first was too early for. */
const MOST_QUESTIONS = 3;

/** Asks again where a worker was asked too early. Where failures are encrypted, that cannot be told from another. */
const asksAgain: WorkflowClientInterceptor = {
  async query(input, next) {
    for (let question = 1; ; question++) {
      try {
        return await next(input);
      } catch (error) {
        const early = error instanceof QueryNotRegisteredError && [ASK_AGAIN, ENCODED_FAILURE].includes(error.message);
        if (!early || question === MOST_QUESTIONS) throw error;
      }
    }
  },
};

/**
 * Without its search attributes an upgrade would hang in a workflow task that the server refuses again and again.
 *
 * @throws TemporalUnavailable with the command that registers what is missing.
 */
export async function requireSearchAttributes(
  connection: Connection | NativeConnection,
  settings: TemporalSettings,
): Promise<void> {
  const { namespace } = settings;
  const { customAttributes } = await reach(settings, () =>
    connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.operatorService.listSearchAttributes({ namespace }),
    ),
  );
  const missing = SEARCH_ATTRIBUTES.filter(({ name }) => customAttributes[name] === undefined);
  if (missing.length > 0) {
    const list = missing.map(({ name, type }) => `--name ${name} --type ${TYPE_NAMES[type]}`).join(' ');
    throw new TemporalUnavailable(
      `${server(settings)} does not know the search attributes ${missing.map(({ name }) => name).join(', ')}. Register them:\n` +
        `  temporal operator search-attribute create --address ${address(settings)} --namespace ${namespace} ${list}`,
    );
  }
  const mistyped = SEARCH_ATTRIBUTES.filter(
    ({ name, type }) => customAttributes[name] !== encodeSearchAttributeIndexedValueType(type),
  );
  if (mistyped.length > 0) {
    throw new TemporalUnavailable(
      `${server(settings)} has search attributes of our names and of other types: ` +
        `${mistyped.map(({ name, type }) => `${name} should be ${TYPE_NAMES[type]}`).join(', ')}. ` +
        'Use another namespace (TEMPORAL_NAMESPACE), or remove them with `temporal operator search-attribute remove`.',
    );
  }
}

/** Names of the types as the `temporal` command writes them. */
export const TYPE_NAMES: Record<SearchAttributeType, string> = {
  TEXT: 'Text',
  KEYWORD: 'Keyword',
  INT: 'Int',
  DOUBLE: 'Double',
  BOOL: 'Bool',
  DATETIME: 'Datetime',
  KEYWORD_LIST: 'KeywordList',
};

/** @throws TemporalUnavailable */
export async function requireNamespace(
  connection: Connection | NativeConnection,
  settings: TemporalSettings,
): Promise<void> {
  const { namespace } = settings;
  await reach(settings, () =>
    connection.withDeadline(Date.now() + DEADLINE_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    ),
  );
}

/** Does what needs the server, and tells a failure in the words of someone who has to mend it: TemporalUnavailable. */
export async function reach<T>(settings: TemporalSettings, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw new TemporalUnavailable(explain(settings, error), { cause: error });
  }
}

/** Numbers of gRPC: https://grpc.io/docs/guides/status-codes/ */
const GRPC = { notFound: 5, permissionDenied: 7, unauthenticated: 16 };

function explain(settings: TemporalSettings, error: unknown): string {
  const { namespace } = settings;
  switch ((error as { code?: unknown }).code) {
    case GRPC.notFound:
      return (
        `${server(settings)} has no namespace ${namespace}. Set TEMPORAL_NAMESPACE to one it has, or create it:\n` +
        `  temporal operator namespace create --address ${address(settings)} --namespace ${namespace}`
      );
    case GRPC.permissionDenied:
    case GRPC.unauthenticated:
      return (
        `${server(settings)} refuses these credentials for the namespace ${namespace}. ` +
        'Look at TEMPORAL_API_KEY, TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_NAMESPACE, or the same in temporal.toml.'
      );
    default:
      return (
        `${server(settings)} does not answer: ${reason(error)}. ` +
        `Say where your server is with TEMPORAL_ADDRESS or temporal.toml, or start one: the demo (\`${ONWARD} demo\`) brings its own.`
      );
  }
}

const address = ({ connectionOptions }: TemporalSettings): string => connectionOptions.address ?? 'localhost:7233';
const server = (settings: TemporalSettings): string => `The Temporal server at ${address(settings)}`;

/** What the innermost error says; the outer ones only say that something failed. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause !== undefined) return reason(error.cause);
  const text = 'details' in error && typeof error.details === 'string' ? error.details : error.message;
  // gRPC leaves this empty part of its message at the end, and quotes an API key that it cannot send.
  return redact(text)
    .replace(/\.? Resolution note: $/, '')
    .replace(/\.$/, '');
}
