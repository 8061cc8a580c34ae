/** What is wrong with the settings of a connection is said before anybody connects. */
import { generate } from 'selfsigned';
import { problemsOfSettings, proxyFor } from '../../src/temporal/check-settings';
import { TYPE_NAMES } from '../../src/temporal/connection';
import { SEARCH_ATTRIBUTES } from '../../src/temporal/search-attributes';

const pair = (notAfterDate = new Date(Date.now() + 86_400_000)) =>
  generate([{ name: 'commonName', value: 'onward' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(0),
    notAfterDate,
  });
type Pair = Awaited<ReturnType<typeof pair>>;

let own: Pair;
let other: Pair;
beforeAll(async () => {
  [own, other] = await Promise.all([pair(), pair()]);
});
const tls = ({ cert }: Pair, { private: key }: Pair) => ({ clientCert: { data: cert }, clientKey: { data: key } });

test('settings that are right have no problem: a server of one’s own, mTLS, and Temporal Cloud by key and by certificate', () => {
  const cloud = { address: 'upgrades.a1b2c.tmprl.cloud:7233', namespace: 'upgrades.a1b2c' };
  for (const profile of [
    {},
    { address: 'temporal' },
    { address: '[::1]:7233' },
    { address: 'temporal.example:7233', tls: { ...tls(own, own), serverCACert: { data: own.cert } } },
    { ...cloud, apiKey: 'k' },
    { ...cloud, address: 'eu-west-1.aws.api.temporal.io:7233', apiKey: 'k' },
    { ...cloud, tls: tls(own, own) },
    // A proxy of one's own on this machine may do the TLS.
    { address: '127.0.0.1:7233', apiKey: 'k', tls: { disabled: true } },
  ]) {
    expect([profile, problemsOfSettings(profile, {})]).toEqual([profile, []]);
  }
});

test.each([
  ['a URL for an address', () => ({ address: 'https://temporal.example:7233' }), ['TEMPORAL_ADDRESS is not host:port']],
  ['a port that there is not', () => ({ address: 'temporal.example:72330' }), ['TEMPORAL_ADDRESS has no such port']],
  ['a key with its line break', () => ({ apiKey: 'hunter2-the-key\n' }), ['TEMPORAL_API_KEY holds']],
  [
    'a key that would travel in clear',
    () => ({ address: 'temporal.example:7233', apiKey: 'k', tls: { disabled: true } }),
    ['TEMPORAL_API_KEY is set and TEMPORAL_TLS is false'],
  ],
  [
    'a certificate without its key',
    () => ({ tls: { clientCert: { data: own.cert } } }),
    ['TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA) is not set'],
  ],
  [
    'a key without its certificate',
    () => ({ tls: { clientKey: { data: own.private } } }),
    ['TEMPORAL_TLS_CLIENT_CERT_PATH (or _DATA) is not set'],
  ],
  [
    'the key of another certificate',
    () => ({ tls: tls(own, other) }),
    ['TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA) is not the key'],
  ],
  [
    'files that are not there and texts that are no PEM, all at once',
    () => ({
      tls: {
        clientCert: { path: '/nowhere/client.pem' },
        clientKey: { data: 'hunter2' },
        serverCACert: { data: 'no certificate' },
      },
    }),
    [
      'TEMPORAL_TLS_CLIENT_CERT_PATH (or _DATA): /nowhere/client.pem cannot be read (ENOENT)',
      'TEMPORAL_TLS_CLIENT_KEY_PATH (or _DATA) holds no private key',
      'TEMPORAL_TLS_SERVER_CA_CERT_PATH (or _DATA) holds no certificate',
    ],
  ],
  [
    'Temporal Cloud without credentials and with half a namespace',
    () => ({ address: 'upgrades.a1b2c.tmprl.cloud:7233', namespace: 'upgrades' }),
    ['TEMPORAL_API_KEY or TEMPORAL_TLS_CLIENT_CERT_PATH (or _DATA) is needed', 'TEMPORAL_NAMESPACE has to be'],
  ],
])('%s is named in one line', (_, profile, expected) => {
  const problems = problemsOfSettings(profile(), {});
  expect(problems).toHaveLength(expected.length);
  problems.forEach((problem, index) => {
    expect(problem).toContain(expected[index]);
    expect(problem).not.toMatch(/\n|hunter2/);
  });
});

test('a certificate that has ended is named, with its end', async () => {
  const ended = await pair(new Date(Date.now() - 1000));
  expect(problemsOfSettings({ tls: tls(ended, ended) }, {})).toEqual([expect.stringContaining('has ended at')]);
});

test('a setting that this SDK would pass over in silence is named', () => {
  const env = { TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: 'true' };
  expect(problemsOfSettings({}, env)).toEqual([expect.stringContaining('TEMPORAL_TLS_DISABLE_HOST_VERIFICATION')]);
});

test('workers go through the proxy that clients go through, and spare what those spare', () => {
  const env = { https_proxy: 'http://onward:p%40ss@proxy.example:3128', no_proxy: '.intern.example,127.0.0.1' };
  expect(proxyFor('upgrades.a1b2c.tmprl.cloud:7233', env)).toEqual({
    type: 'http-connect',
    targetHost: 'proxy.example:3128',
    basicAuth: { username: 'onward', password: 'p@ss' },
  });
  expect(proxyFor('temporal.intern.example:7233', env)).toBeUndefined();
  expect(proxyFor('127.0.0.1:7233', env)).toBeUndefined();
  expect(proxyFor('temporal.example:7233', {})).toBeUndefined();
  const wrong = { grpc_proxy: 'socks5://onward:hunter2@proxy.example' };
  expect(problemsOfSettings({}, wrong)).toEqual([expect.stringMatching(/^grpc_proxy is not http:(?!.*hunter2)/)]);
});

test('a visibility store on PostgreSQL has room for every search attribute: it has so many columns of each type', () => {
  // https://docs.temporal.io/search-attribute#custom-search-attribute-limits
  const columns = { Bool: 3, Datetime: 3, Double: 3, Int: 3, Keyword: 10, KeywordList: 3, Text: 3 };
  for (const [type, most] of Object.entries(columns)) {
    const taken = SEARCH_ATTRIBUTES.filter((attribute) => TYPE_NAMES[attribute.type] === type);
    expect([type, Math.min(taken.length, most)]).toEqual([type, taken.length]);
  }
});
