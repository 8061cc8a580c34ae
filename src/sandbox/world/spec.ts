/** What a simulated provider is made of, and how the parts that nobody asked for are filled in from a seed. */
import { z } from 'zod';
import { plainName } from '../../contract/provider';
import type { SimulatedCompanion } from '../../contract/simulation';
import type { SimulatedVersions } from '../simulated-versions';
import { seededInt } from './seeded';

const text = z.string().min(1);
const count = z.int().nonnegative();
const packageVersion = z.string().regex(/^\d+(\.\d+)+-\d+$/, 'must be <version>-<release>, such as 1.0-9');

export const CLOUDS = ['global', 'germany', 'china', 'usGovernment', 'unstated'] as const;

export const instanceSpec = z.strictObject({
  name: text,
  /** `unstated`: no setting of the instance tells its Microsoft cloud. */
  cloud: z.enum(CLOUDS).default('global'),
  /** Which of the provider's gateways serves it, counted from 0. */
  gateway: count.optional(),
  /** Installed version; the provider's source version by default. */
  packageVersion: packageVersion.optional(),
});

export const gatewaySpec = z.strictObject({
  host: plainName.optional(),
  /** Name of the IIS site when the endpoint was installed. */
  installedAs: text.optional(),
  /** Name of the IIS site now, where somebody has renamed it. */
  site: text.optional(),
  application: text.optional(),
  hostname: text.optional(),
  ip: z.ipv4().optional(),
  /** `any`: the https binding is `*`, told apart by host header. */
  binding: z.enum(['own', 'any']).default('own'),
  /** Version of the endpoint as installed at first; by default the oldest of the instances it serves. */
  packageVersion: packageVersion.optional(),
  localDb: z.boolean().default(true),
  /** By default LocalDB is used as the application's pool, and SQL Server as a login of its own. */
  login: text.optional(),
  /** How web.config has the connection string. */
  connectionString: z.enum(['plain', 'encrypted', 'missing']).default('plain'),
  /** What SQL Server answers about the role sysadmin; not asked for LocalDB. */
  sysadmin: z.union([z.literal(1), z.literal(0), z.null()]).default(1),
});

export const storeSpec = z.strictObject({
  id: plainName,
  name: text,
  active: z.boolean().default(true),
  sellsOffice365: z.boolean().default(true),
});

const login = z.strictObject({ user: text, password: text });

export const providerOptions = z.strictObject({
  id: plainName,
  name: text.optional(),
  /** Names, ids and addresses that are not given follow from it. */
  seed: text.default('onward'),
  /** Installed version of the Office 365 application: one that a release starts from, or one that must be refused. */
  sourceVersion: z
    .string()
    .regex(/^\d+(\.\d+)+$/)
    .optional(),
  /** Build of Odin Automation; by default the one that the version needs. */
  build: text.optional(),
  /** How many, or each by itself. */
  instances: z.union([count, z.array(instanceSpec).min(1)]).default(3),
  gateways: z.union([z.int().positive(), z.array(gatewaySpec).min(1)]).default(1),
  /** Active Office 365 templates beside the one of each instance. */
  moreTemplates: count.default(0),
  /** Office 365 templates that were switched off before any upgrade and have to stay so. */
  inactiveTemplates: count.default(1),
  /** Templates of other applications. */
  otherTemplates: count.default(1),
  /** What is wrong with the first Office 365 template. */
  templateFlaws: z.array(z.enum(['azureCsp', 'dnsHosting', 'trialOnCcpV1'])).default([]),
  /** Service parameters of the billing templates beside `aps_defaults_o365`; by default as the version has them. */
  parameters: z.array(text).optional(),
  stores: z.array(storeSpec).default([
    { id: 'main', name: 'Main store', active: true, sellsOffice365: true },
    { id: 'partner', name: 'Partner store', active: true, sellsOffice365: true },
    { id: 'domains', name: 'Domain store', active: true, sellsOffice365: false },
    { id: 'old', name: 'Old store', active: false, sellsOffice365: false },
  ]),
  /** Office 365 tasks that wait or run while provisioning goes on; they drain once it has stopped. */
  openTasks: count.default(3),
  /** An Office 365 task that has failed and goes away only when somebody processes it. */
  failedTask: z.boolean().default(false),
  /** Office 365 tasks that appear when the last instance is upgraded, and drain. */
  lateTasks: count.default(0),
  /** Other applications in the package list; by default as the releases that lead on from its version say. */
  companions: z.array(z.strictObject({ application: text, name: text, packageVersion })).optional(),
  /** Basic authentication of the two XML-RPC systems; without it every caller is let in. */
  operationsLogin: login.optional(),
  billingLogin: login.optional(),
});

/** What a caller may say about a provider; only `id` is needed. */
export type ProviderOptions = z.input<typeof providerOptions>;

export type InstanceSpec = z.output<typeof instanceSpec> & { gateway: number; packageVersion: string };
export type GatewaySpec = Required<z.output<typeof gatewaySpec>>;
export type ProviderSpec = Omit<
  z.output<typeof providerOptions>,
  'instances' | 'gateways' | 'name' | 'sourceVersion' | 'build' | 'parameters' | 'companions'
> & {
  name: string;
  sourceVersion: string;
  build: string;
  parameters: readonly string[];
  companions: readonly SimulatedCompanion[];
  instances: InstanceSpec[];
  gateways: GatewaySpec[];
};

const MARKETS = [
  'EMEA',
  'Americas',
  'APAC',
  'Nordics',
  'Iberia',
  'Benelux',
  'Adriatic',
  'Andes',
  'Caribbean',
  'Oceania',
];

const USUAL_BUILD = 'oa-8.0-1216';

/** The whole provider; throws a ZodError that names everything that is wrong with `options`. */
export function providerSpec(options: ProviderOptions, versions: SimulatedVersions): ProviderSpec {
  const given = providerOptions.parse(options);
  const source = versions.of(given.sourceVersion ?? versions.usualSource);
  const name = given.name ?? given.id.charAt(0).toUpperCase() + given.id.slice(1);
  const wanted = Array.isArray(given.gateways) ? given.gateways : blank(gatewaySpec, given.gateways);
  const instances = Array.isArray(given.instances)
    ? given.instances
    : Array.from({ length: given.instances }, (_, index) => instanceSpec.parse({ name: `CSP ${market(index)}` }));
  const perGateway = Math.max(1, Math.ceil(instances.length / wanted.length));
  const installed = instances.map((instance, index) => ({
    ...instance,
    gateway: instance.gateway ?? Math.floor(index / perGateway),
    packageVersion: instance.packageVersion ?? source.packageVersion,
  }));
  return {
    ...given,
    name,
    sourceVersion: source.version,
    build: given.build ?? source.build ?? USUAL_BUILD,
    parameters: given.parameters ?? source.parameters,
    companions: given.companions ?? versions.companionsOf(source.version),
    instances: installed,
    gateways: wanted.map((gateway, index) => {
      const [oldest] = installed
        .filter((instance) => instance.gateway === index)
        .map((i) => i.packageVersion)
        .sort();
      const packageVersion = gateway.packageVersion ?? oldest ?? source.packageVersion;
      return completeGateway(given.id, given.seed, name, { ...gateway, packageVersion }, index);
    }),
  };
}

function blank<T>(schema: z.ZodType<T>, length: number): T[] {
  return Array.from({ length }, () => schema.parse({}));
}

function market(index: number): string {
  const round = Math.floor(index / MARKETS.length);
  return `${MARKETS[index % MARKETS.length]}${round > 0 ? ` ${round + 1}` : ''}`;
}

/** With everything that nobody asked for filled in from the seed. */
export function completeGateway(
  id: string,
  seed: string,
  name: string,
  gateway: z.output<typeof gatewaySpec> & { packageVersion: string },
  index: number,
): GatewaySpec {
  const number = String(index + 1).padStart(2, '0');
  const installedAs = gateway.installedAs ?? `${name} Office365 Gateway ${number}`;
  const network = [seededInt(1, 250, seed, id, 'network'), seededInt(1, 250, seed, id, 'subnet')].join('.');
  const application = gateway.application ?? `Office365GatewayApplication${number}`;
  return {
    ...gateway,
    host: gateway.host ?? `${id}-gw-host-01`,
    installedAs,
    site: gateway.site ?? installedAs,
    application,
    login: gateway.login ?? (gateway.localDb ? `IIS APPPOOL\\${application}` : 'office365_gateway'),
    hostname: gateway.hostname ?? `office365gateway${number}.${id}.hosting.local`,
    ip: gateway.ip ?? `10.${network}.${index + 11}`,
  };
}
