/** What is wrong with the settings of a connection, before anybody connects: every problem, each in one line that names its setting. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientConfigProfile, ConfigDataSource } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';

type ProxyConfig = NonNullable<NativeConnectionOptions['proxy']>;

/** @param env for what `temporal.toml` does not hold. */
export function problemsOfSettings(profile: ClientConfigProfile, env: NodeJS.ProcessEnv): string[] {
  return [
    ...addressProblems(profile.address),
    ...apiKeyProblems(profile),
    ...tlsProblems(profile.tls ?? {}),
    ...cloudProblems(profile),
    ...(isTrue(env['TEMPORAL_TLS_DISABLE_HOST_VERIFICATION'])
      ? [
          "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION is not supported here: name the authority of the server's certificate in TEMPORAL_TLS_SERVER_CA_CERT_PATH",
        ]
      : []),
    ...proxyProblems(env),
  ];
}

/**
 * The proxy that a worker goes through: that of gRPC's own variables, which clients obey by themselves (`grpc_proxy`, `https_proxy`,
 * `http_proxy`, `no_grpc_proxy`, `no_proxy`). Only where {@link problemsOfSettings} finds none.
 */
export function proxyFor(address: string, env: NodeJS.ProcessEnv): ProxyConfig | undefined {
  const setting = proxySetting(env);
  const host = hostOf(address);
  const spared = (env['no_grpc_proxy'] || env['no_proxy'] || '').split(',').filter((suffix) => suffix !== '');
  if (setting === undefined || spared.some((suffix) => host.endsWith(suffix.trim()))) return undefined;
  const { hostname, port, username, password } = new URL(setting.value);
  return {
    type: 'http-connect',
    targetHost: `${hostname}:${port || 80}`,
    ...(username !== '' && {
      basicAuth: { username: decodeURIComponent(username), password: decodeURIComponent(password) },
    }),
  };
}

const isTrue = (setting = ''): boolean => /^(1|true)$/i.test(setting);
const hostOf = (address: string): string => address.replace(/:\d+$/, '');
const isOwn = (address: string): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostOf(address));

function addressProblems(address: string | undefined): string[] {
  if (address === undefined) return [];
  const [, port] = /^(?:\[[0-9a-f:.]+\]|[^\s:/@]+)(?::(\d+))?$/i.exec(address) ?? [];
  if (
    address !== '' &&
    !/[\s/@]/.test(address) &&
    (port !== undefined || !/:/.test(hostOf(address).replace(/^\[.*\]$/, '')))
  ) {
    return port !== undefined && !(Number(port) >= 1 && Number(port) <= 65535)
      ? [`TEMPORAL_ADDRESS has no such port as ${port}`]
      : [];
  }
  return [
    'TEMPORAL_ADDRESS is not host:port, such as temporal.example:7233, without a protocol before or a path behind it',
  ];
}

function apiKeyProblems({ apiKey, address, tls }: ClientConfigProfile): string[] {
  if (apiKey === undefined) return [];
  // Never quoted.
  if (apiKey === '') return ['TEMPORAL_API_KEY is empty: give the key, or do not set it'];
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    return [
      'TEMPORAL_API_KEY holds a space, a line break or another character that no key has: was a file read with its last line break?',
    ];
  }
  if (tls?.disabled === true && !isOwn(address ?? 'localhost')) {
    return ['TEMPORAL_API_KEY is set and TEMPORAL_TLS is false: the key would travel in clear'];
  }
  return [];
}

const PAIR = {
  cert: 'TEMPORAL_TLS_CLIENT_CERT_PATH (or _DATA)',
  key: 'TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA)',
} as const;

function tlsProblems({
  disabled,
  clientCert,
  clientKey,
  serverCACert,
}: NonNullable<ClientConfigProfile['tls']>): string[] {
  if (disabled === true) {
    return clientCert === undefined && clientKey === undefined
      ? []
      : [`TEMPORAL_TLS is false, so ${PAIR.cert} would not be used: take one of them away`];
  }
  const problems: string[] = [];
  const certificate = read(PAIR.cert, clientCert, (pem) => new X509Certificate(pem), 'certificate', problems);
  const key = read(PAIR.key, clientKey, (pem) => createPrivateKey(pem), 'private key without a password', problems);
  read(
    'TEMPORAL_TLS_SERVER_CA_CERT_PATH (or _DATA)',
    serverCACert,
    (pem) => new X509Certificate(pem),
    'certificate',
    problems,
  );
  if (clientCert !== undefined && clientKey === undefined) problems.push(`${PAIR.key} is not set, and ${PAIR.cert} is`);
  if (clientKey !== undefined && clientCert === undefined) problems.push(`${PAIR.cert} is not set, and ${PAIR.key} is`);
  if (certificate !== undefined) {
    if (key !== undefined && !certificate.checkPrivateKey(key)) {
      problems.push(`${PAIR.key} is not the key of the certificate in ${PAIR.cert}`);
    }
    const now = Date.now();
    if (Date.parse(certificate.validTo) < now)
      problems.push(`${PAIR.cert}: the certificate has ended at ${certificate.validTo}`);
    if (Date.parse(certificate.validFrom) > now) {
      problems.push(`${PAIR.cert}: the certificate is valid only from ${certificate.validFrom} on`);
    }
  }
  return problems;
}

/** What a file or a variable holds; undefined where there is none, or where it was added to the problems. */
function read<T>(
  setting: string,
  source: ConfigDataSource | undefined,
  parse: (pem: Buffer) => T,
  what: string,
  problems: string[],
): T | undefined {
  if (source === undefined) return undefined;
  const bytes = bytesOf(setting, source, problems);
  if (bytes === undefined) return undefined;
  try {
    return parse(bytes);
  } catch {
    problems.push(`${setting} holds no ${what} in PEM form`);
    return undefined;
  }
}

function bytesOf(setting: string, source: ConfigDataSource, problems: string[]): Buffer | undefined {
  if ('data' in source) return Buffer.from(source.data);
  try {
    return readFileSync(source.path);
  } catch (error) {
    problems.push(`${setting}: ${source.path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return undefined;
  }
}

/** https://docs.temporal.io/cloud/namespaces#access-namespaces */
function cloudProblems({ address = '', namespace, apiKey, tls }: ClientConfigProfile): string[] {
  if (!/\.(tmprl\.cloud|api\.temporal\.io)$/.test(hostOf(address))) return [];
  const problems: string[] = [];
  if (apiKey === undefined && tls?.clientCert === undefined) {
    problems.push(`TEMPORAL_API_KEY or ${PAIR.cert} is needed: TEMPORAL_ADDRESS is of Temporal Cloud`);
  }
  if (namespace === undefined || !/^[^.]+\.[^.]+$/.test(namespace)) {
    problems.push('TEMPORAL_NAMESPACE has to be <namespace>.<account>: TEMPORAL_ADDRESS is of Temporal Cloud');
  }
  return problems;
}

/** In the order in which gRPC looks. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'] as const;

function proxySetting(env: NodeJS.ProcessEnv): { name: string; value: string } | undefined {
  return PROXIES.map((name) => ({ name, value: env[name] ?? '' })).find(({ value }) => value !== '');
}

function proxyProblems(env: NodeJS.ProcessEnv): string[] {
  const { name, value } = proxySetting(env) ?? {};
  if (value === undefined || (/^http:/.test(value) && URL.canParse(value))) return [];
  // Not quoted: it may hold a password.
  return [
    `${name} is not http://host:port: a proxy is asked over HTTP (CONNECT), and what goes through it is encrypted by TLS`,
  ];
}
