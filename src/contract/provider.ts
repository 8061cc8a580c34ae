/**
 * One provider: its entry in the inventory, validated. Secrets are references (`env:NAME`, `file:/path`), never values. What a
 * workflow keeps of it stands in ./entry.
 */
import { z } from 'zod';
import { maintenance } from './maintenance';

const PLAIN_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const NOT_PLAIN =
  'use 1 to 63 lower-case letters, digits, dots, dashes or underscores, starting with a letter or digit';
/** Names of providers and hosts become part of workflow ids and task queues, so they are kept plain. */
export const plainName = z.string().regex(PLAIN_NAME, NOT_PLAIN);

/** `env:NAME` reads an environment variable of the worker, `file:/path` the text of a file, without the newlines at its end. */
export const secretReference = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    'must be a reference, env:NAME or file:/path, never the secret itself',
  );

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

const connection = {
  url,
  user: z.string().min(1).optional(),
  password: secretReference.optional(),
  /** PEM file with the certificate authority that signed this system's certificate. */
  caFile: z.string().min(1).optional(),
  /** `false` switches certificate verification off. For a laboratory only. */
  verifyTls: z.boolean().default(true),
  /** `true` allows TLS as it was before 2018, where the system knows nothing newer. */
  legacyTls: z.boolean().default(false),
};

function userWithPassword(value: { user?: string | undefined; password?: string | undefined }): boolean {
  return (value.user === undefined) === (value.password === undefined);
}
const USER_WITH_PASSWORD = { error: 'give user and password together, or neither', path: ['password'] };

/** Operations public API: XML-RPC on port 8440 (systems.md 1.1). */
export const operationsConnection = z.strictObject(connection).refine(userWithPassword, USER_WITH_PASSWORD);
/** Billing public API: XML-RPC on port 5224 (systems.md 3.1). */
export const billingConnection = z.strictObject(connection).refine(userWithPassword, USER_WITH_PASSWORD);
/** APS controller: REST on port 6308, tokens from Operations (systems.md 2.1). */
export const apsConnection = z.strictObject({
  url,
  /** Operations user whose token is used; 1 is the provider's first user. */
  userId: z.int().positive().default(1),
  caFile: connection.caFile,
  verifyTls: connection.verifyTls,
  legacyTls: connection.legacyTls,
});

/** An online store that sells Office 365; the unit of "synchronize all online stores" and of store customizations. */
export const onlineStore = z.strictObject({ id: plainName, name: z.string().min(1) });

export const endpointHost = z.strictObject({
  /** Name of the Office 365 Application Endpoint Host; its worker polls the task queue `endpoint/<name>`. */
  name: plainName,
});

/** One gateway site as it was installed, for "the names of the gateway sites must not be changed". */
export const installedSite = z.strictObject({
  hostname: z.string().min(1),
  site: z.string().min(1),
});

const gate = z.strictObject({ adapter: z.literal('gate') });

/** What the adapter `microsoft` has to know to make the calls of *Test Connection* itself (systems.md 5.2, 5.3). */
export const microsoftAccess = z.strictObject({
  loginUrl: url.default('https://login.microsoftonline.com'),
  partnerCenterUrl: url.default('https://api.partnercenter.microsoft.com'),
  graphUrl: url.default('https://graph.microsoft.com'),
  clientId: z.string().min(1),
  clientSecret: secretReference,
  caFile: connection.caFile,
  /** One entry per application instance, by its name or id. */
  accounts: z.record(z.string(), z.strictObject({ tenant: z.string().min(1), refreshToken: secretReference })),
});

/** Adapters of the product: any other one is registered by whoever puts a worker together (src/systems/adapters). */
export const PRODUCT_ADAPTERS = { taskMonitor: ['gate'], connectionTest: ['gate', 'microsoft'] } as const;

/**
 * An adapter that is not of the product. Its settings are judged where a worker that has it reads the entry
 * (src/inventory/schema); a workflow hands them on, and asks only whether the adapter is `gate`.
 */
const registered = (ours: readonly string[]) =>
  z.looseObject({
    adapter: z
      .string()
      .regex(new RegExp(`^(?!(?:${ours.join('|')})$)${PLAIN_NAME.source.slice(1)}`), { error: NOT_PLAIN, abort: true }),
  });

/** How Onward learns that all Office 365 tasks are processed; there is no vendor API for it (systems.md 1.6). */
export const taskMonitor = z.union([gate, registered(PRODUCT_ADAPTERS.taskMonitor)]);

/** How Onward learns what the *Test Connection* button would say (systems.md 5.3, 5.6). */
export const connectionTest = z.union([
  gate,
  z.strictObject({ adapter: z.literal('microsoft'), ...microsoftAccess.shape }),
  registered(PRODUCT_ADAPTERS.connectionTest),
]);

/**
 * Whether a success of this adapter is one of the application's own *Test Connection*, and so closes a gate. A person does that with
 * `gate`. `microsoft` makes the same calls with the inventory's own token: it is evidence beside that, and says nothing of the token
 * that the application has. An adapter is registered only where it presses the application's button.
 */
export const provesConnection = ({ adapter }: Pick<ConnectionTestSetting, 'adapter'>): boolean =>
  !(PRODUCT_ADAPTERS.connectionTest as readonly string[]).includes(adapter);

const days = z.number().positive().max(365);
/** When a gate or hold that is still open is brought back to mind, counted in days from its opening. */
export const reminderSchedule = z.strictObject({
  days: z.array(days).default([1, 3, 7]),
  thenEveryDays: days.default(7),
});

const seconds = z.number().positive();
/** How long an upgrade is patient with systems before a step counts as failed, in seconds. */
export const timings = z.strictObject({
  /** A call that fails for a reason that may pass is repeated for so long. */
  retryFor: seconds.default(600),
  /** An activity whose worker is silent for so long is given to another. */
  heartbeat: seconds.default(10),
  /** So long the worker of an endpoint host may take to begin with a script. */
  hostAnswer: seconds.default(300),
  /** Longest wait for Office 365 tasks to be processed. */
  drain: seconds.default(72 * 3600),
  /** Longest wait for the import's tasks. */
  import: seconds.default(4 * 3600),
  /** Longest wait for the upgrade of one application instance. */
  instanceUpgrade: seconds.default(12 * 3600),
  /** Longest run of setup.cmd, and of any other script on an endpoint host. */
  script: seconds.default(1800),
  /** Longest restart of an endpoint host: from the request until its worker is back. */
  hostRestart: seconds.default(3600),
});

export const notifierTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('log') }),
  z.strictObject({ kind: z.literal('webhook'), url, token: secretReference.optional() }),
]);

export const packageKey = z
  .string()
  .regex(/^\d+(\.\d+)*$/, 'must be the version that the package leads to: numbers with dots between them');
/** Where the vendor's package of one release is to be had. */
export const packageSource = z.strictObject({
  /** The management node and the endpoint hosts fetch the package from here (systems.md 1.4.1). */
  url,
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 lower-case hexadecimal digits'),
  caFile: connection.caFile,
});

export const providerProfile = z.strictObject({
  provider: plainName,
  name: z.string().min(1).optional(),
  labels: z.record(plainName, z.string()).default({}),
  operations: operationsConnection,
  aps: apsConnection,
  billing: billingConnection,
  /** Billing plans that sell Office 365; their service templates are the ones to clean (systems.md 3.2). */
  plans: z.array(z.int().positive()).min(1),
  /** Required: an empty list says that there is none, and leaving it out would say nothing. */
  stores: z.array(onlineStore, {
    error: ({ input }) =>
      input === undefined
        ? 'is missing: list the online stores that sell Office 365, or write [] where there is none'
        : undefined,
  }),
  endpointHosts: z.array(endpointHost).min(1),
  installedSites: z.array(installedSite).default([]),
  /** Hostname of a gateway site -> its address as the management node resolves it, where our DNS differs. */
  gatewayAddresses: z.record(z.string(), z.ipv4()).default({}),
  /** The application packages, by the version of the release: `18.4.1`. */
  packages: z
    .record(packageKey, packageSource)
    .refine((packages) => Object.keys(packages).length > 0, 'name the package of at least one version'),
  taskMonitor: taskMonitor.default({ adapter: 'gate' }),
  connectionTest: connectionTest.default({ adapter: 'gate' }),
  approval: z
    .strictObject({
      /** Wait for `approveCrossing`, by someone other than who started the upgrade, before the import. */
      beforeCrossing: z.boolean().default(false),
    })
    .default({ beforeCrossing: false }),
  /** What a failed step before the crossing does: undo everything, or hold and let an operator decide. */
  onFailureBeforeCrossing: z.enum(['rollback', 'hold']).default('rollback'),
  reminders: reminderSchedule.default({ days: [1, 3, 7], thenEveryDays: 7 }),
  notify: z.array(notifierTarget).default([{ kind: 'log' }]),
  timings: timings.prefault({}),
  /** When this provider may be changed; without it, at any time. */
  maintenance: maintenance.optional(),
});

export type ProviderProfile = z.output<typeof providerProfile>;
export type OperationsConnection = z.output<typeof operationsConnection>;
export type ApsConnection = z.output<typeof apsConnection>;
export type BillingConnection = z.output<typeof billingConnection>;
export type EndpointHost = z.output<typeof endpointHost>;
export type OnlineStore = z.output<typeof onlineStore>;
export type TaskMonitorSetting = z.output<typeof taskMonitor>;
export type ConnectionTestSetting = z.output<typeof connectionTest>;
export type ReminderSchedule = z.output<typeof reminderSchedule>;
export type Timings = z.output<typeof timings>;
export type PackageSource = z.output<typeof packageSource>;
export type NotifierTarget = z.output<typeof notifierTarget>;

/** Task queue of workflows and API activities. */
export const CONTROL_TASK_QUEUE = 'onward';
/** Task queue of the activity-only worker on one endpoint host. */
export const endpointTaskQueue = (host: string): string => `endpoint/${host}`;
/** Workflow id of the upgrade of one provider: one at a time, by construction. */
export const upgradeWorkflowId = (provider: string): string => `upgrade/${provider}`;
