/**
 * What OpenTelemetry's own variables say of traces, and what is wrong with them: its SDK would go on without a word, and send nothing.
 * Loads nothing of it. https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/, .../protocol/exporter/
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

type Environment = Readonly<NodeJS.ProcessEnv>;
/** What is wrong with a value, to go on after the name of its variable. It is not quoted: it may hold a password. */
type Check = (value: string) => string | undefined;

/** An empty variable says nothing. */
const valueOf = (env: Environment, name: string): string => env[name]?.trim() ?? '';

/** Of the exporter's, that for traces alone comes before that for everything. */
const ofExporter = (env: Environment, suffix: string): string | undefined =>
  [`OTEL_EXPORTER_OTLP_TRACES_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`].find((name) => valueOf(env, name) !== '');

/** Off until a collector is named. */
export const wantsTraces = (env: Environment): boolean =>
  ofExporter(env, 'ENDPOINT') !== undefined &&
  valueOf(env, 'OTEL_SDK_DISABLED').toLowerCase() !== 'true' &&
  valueOf(env, 'OTEL_TRACES_EXPORTER') !== 'none';

export function tracesProblems(env: Environment): string[] {
  const exporter = Object.entries(EXPORTER).map(([suffix, check]) => [ofExporter(env, suffix), check] as const);
  const sdk = Object.keys(env).map((name) => [name, SDK.find(([names]) => names.test(name))?.[1]] as const);
  const [cert, key] = [ofExporter(env, 'CLIENT_CERTIFICATE'), ofExporter(env, 'CLIENT_KEY')];
  return [
    ...[...exporter, ...sdk].flatMap(([name = '', check]) => {
      const value = valueOf(env, name);
      const problem = value === '' ? undefined : check?.(value);
      return problem === undefined ? [] : [`${name} ${problem}`];
    }),
    ...(cert !== undefined && key === undefined ? [`OTEL_EXPORTER_OTLP_CLIENT_KEY is not set, and ${cert} is`] : []),
    ...(key !== undefined && cert === undefined
      ? [`OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set, and ${key} is`]
      : []),
    ...(/traceidratio$/.test(valueOf(env, 'OTEL_TRACES_SAMPLER')) && !isRatio(valueOf(env, 'OTEL_TRACES_SAMPLER_ARG'))
      ? ['OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1, as OTEL_TRACES_SAMPLER needs one']
      : []),
  ];
}

/** For an agent of Node.js: the exporter of the SDK's series 1 does not read these itself. */
export function tracesTls(env: Environment): { ca?: Buffer; cert?: Buffer; key?: Buffer } {
  const [ca, cert, key] = ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'].map((suffix) => {
    const name = ofExporter(env, suffix);
    return name === undefined ? undefined : readFileSync(valueOf(env, name));
  });
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

const unless =
  (isRight: (value: string) => boolean, problem: string): Check =>
  (value) =>
    isRight(value) ? undefined : problem;

const count = unless((value) => /^[1-9]\d{0,8}$/.test(value), 'is no whole number from 1 to 999999999');

/** By the end of the name. */
const EXPORTER: Readonly<Record<string, Check>> = {
  ENDPOINT: endpointProblem,
  PROTOCOL: unless(
    (value) => value === 'http/protobuf',
    'has to be http/protobuf: traces are sent by no other protocol',
  ),
  HEADERS: unless(isHeaders, 'is no list of headers, name=value with a comma between two and values percent-encoded'),
  COMPRESSION: unless((value) => /^(gzip|none)$/.test(value), 'is neither gzip nor none'),
  TIMEOUT: count,
  CERTIFICATE: pemProblem((pem) => new X509Certificate(pem), 'certificate'),
  CLIENT_CERTIFICATE: pemProblem((pem) => new X509Certificate(pem), 'certificate'),
  CLIENT_KEY: pemProblem((pem) => createPrivateKey(pem), 'private key without a password'),
};

const SDK: readonly (readonly [names: RegExp, check: Check])[] = [
  [/^OTEL_SDK_DISABLED$/, unless((value) => /^(true|false)$/i.test(value), 'is neither true nor false')],
  [/^OTEL_TRACES_EXPORTER$/, unless((value) => value === 'otlp', 'is neither otlp nor none: there is no other here')],
  [
    /^OTEL_TRACES_SAMPLER$/,
    unless(
      (value) => /^(parentbased_)?(always_on|always_off|traceidratio)$/.test(value),
      'is none of always_on, always_off, traceidratio, and parentbased_ before one of them',
    ),
  ],
  // With 0 the SDK drops everything, or never ends.
  [/^OTEL_(BSP_\w+|\w+_LIMIT)$/, count],
  [
    /^OTEL_RESOURCE_ATTRIBUTES$/,
    unless(isAttributes, 'is no list of attributes, name=value with a comma between two and values percent-encoded'),
  ],
];

function endpointProblem(value: string): string | undefined {
  if (!z.url({ protocol: /^https?$/ }).safeParse(value).success) {
    return 'is no URL of a collector, such as http://127.0.0.1:4318';
  }
  const { username, password, search, hostname } = new URL(value);
  // The exporter sends none of these, and asks for the address [::1] as if it were a name.
  if (username !== '' || password !== '') return 'holds a name or password: write them into OTEL_EXPORTER_OTLP_HEADERS';
  if (search !== '') return 'holds a query, which would not be sent';
  if (hostname.startsWith('[')) return 'holds an IPv6 address: give the name of that machine';
  return undefined;
}

function pemProblem(parse: (pem: Buffer) => unknown, what: string): Check {
  return (file) => {
    let pem: Buffer;
    try {
      pem = readFileSync(file);
    } catch (error) {
      return `names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code})`;
    }
    try {
      parse(pem);
      return undefined;
    } catch {
      return `names ${file}, which holds no ${what} in PEM form`;
    }
  };
}

const isRatio = (value: string): boolean => value !== '' && Number(value) >= 0 && Number(value) <= 1;

function isHeaders(list: string): boolean {
  return list
    .split(',')
    .every((pair) => /^\s*[\w!#$%&'*+.^`|~-]+\s*=[^;]+$/.test(pair) && /^[\t\x20-\x7e]+$/.test(decoded(pair) ?? '\n'));
}

/** As the SDK takes them: of a list with a mistake it takes nothing, or leaves some away. */
function isAttributes(list: string): boolean {
  const isPart = (part: string) => /^[\x21-\x3a\x3c-\x5b\x5d-\x7e]{0,255}$/.test(part.trim());
  return list
    .split(',')
    .every(
      (pair) => /^\s*[^=\s][^=]*=[^=]*$/.test(pair) && pair.split('=').every(isPart) && decoded(pair) !== undefined,
    );
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
