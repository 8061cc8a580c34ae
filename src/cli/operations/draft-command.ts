/** `onward inventory draft`: reads a provider's systems, and writes what a person has to complete. */
import { promises as dns } from 'node:dns';
import path from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { z } from 'zod';
import { LIMITS } from '../../contract/limits';
import { ONWARD } from '../../contract/onward';
import { apsConnection, billingConnection, operationsConnection } from '../../contract/provider';
import { EntryExists, writeDraft, type FoundProvider } from '../../inventory/draft';
import { inventoryDirectory } from '../../inventory/inventory';
import { resolveSecret } from '../../inventory/secrets';
import { ApsClient } from '../../systems/aps';
import { BillingClient } from '../../systems/billing';
import { Office365Application } from '../../systems/office365-application';
import { OperationsClient } from '../../systems/operations';
import { SystemError } from '../../systems/system-error';
import { parseEndpointUrl } from '../../../workflows/engine/gateway-address';
import { globalsOf, inventoryOption, problemsOf, PROVIDER_HELP, providerName } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { printResult, type GlobalOptions } from '../kit/context';
import { safeText } from '../kit/text/safe-text';
import type { ReleasesContext } from './releases-command';

interface DraftOptions extends GlobalOptions {
  operations: string;
  operationsUser?: string;
  operationsPassword?: string;
  aps?: string;
  apsUserId?: number;
  billing: string;
  billingUser?: string;
  billingPassword?: string;
  plan: number[];
  caFile?: string;
  verifyTls: boolean;
  inventory?: string;
}

export function addDraft(inventory: Command, context: ReleasesContext): void {
  const reference = 'env:NAME or file:<path>, never the password itself';
  inventory
    .command('draft')
    .description(
      "read a provider's Operations, APS controller and Billing, and write a draft of its entry; changes nothing there",
    )
    .argument('<provider>', PROVIDER_HELP, providerName)
    .requiredOption('--operations <url>', 'Operations, such as https://<management node>:8440/RPC2')
    .option('--operations-user <user>', 'where Operations asks for HTTP authentication')
    .option('--operations-password <reference>', reference)
    .option('--aps <url>', 'APS controller (default: https, port 6308 of the management node)')
    .option('--aps-user-id <id>', 'Operations user whose token is used', wholeNumber)
    .requiredOption('--billing <url>', 'Billing, such as https://<host>:5224/RPC2')
    .option('--billing-user <user>', 'where Billing asks for HTTP authentication')
    .option('--billing-password <reference>', reference)
    .option(
      '--plan <id>',
      'a billing plan that sells Office 365, as often as there are some',
      (text, all: number[]) => [...all, wholeNumber(text)],
      [],
    )
    .option('--ca-file <file>', 'certificate authority (PEM) of these systems')
    .option('--no-verify-tls', 'do not verify their certificates; for a laboratory only')
    .option(...inventoryOption)
    .addHelpText(
      'after',
      `
It writes <provider>.yaml, and refuses where there is such an entry. The draft says TODO where only a person knows, and
inventory check says what is missing.`,
    )
    .action(async (provider: string, _options: DraftOptions, command: Command) => {
      const options: DraftOptions = { ...globalsOf(command), ...command.opts<DraftOptions>() };
      await draft(context, options, provider);
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Give a whole number from 1 on.');
  return value;
}

async function draft(context: ReleasesContext, options: DraftOptions, provider: string): Promise<void> {
  const found = await read(context, options, provider);
  const directory = path.resolve(options.inventory ?? inventoryDirectory(context.env));
  const file = await writeDraft(directory, found).catch((error: unknown) => {
    if (error instanceof EntryExists)
      throw new CliError('refused', error.message, {
        hint: 'Name another provider, or move that entry away.',
        cause: error,
      });
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new CliError('failure', `The draft of ${provider} cannot be written into ${directory} (${code}).`, {
      hint: 'Name a folder that this process may write to: --inventory <folder>.',
      cause: error,
    });
  });
  const { facts, plans, unread, gateways } = found;
  printResult(
    context,
    options,
    { file, unread, instances: facts.instances, templates: facts.templates, plans, gateways },
    [
      `Wrote ${safeText(file)}: ${facts.instances.length} instances, ${Object.keys(gateways).length} gateway hostnames, ${facts.templates.length} templates, ${plans.length} plans.`,
      ...unread.map((problem) => `Not read: ${safeText(problem, 1000)}`),
      `Complete what says TODO in it, then: ${ONWARD} inventory check`,
    ],
  );
}

async function read(context: ReleasesContext, options: DraftOptions, provider: string): Promise<FoundProvider> {
  const connections = connectionsOf(options);
  const client = new OperationsClient(connections.operations, resolveSecret);
  const application = new Office365Application(client, new ApsClient(connections.aps, client));
  // One after the other: where one fails, no other is left to answer nobody.
  const build = await client.platformBuild();
  const applicationId = await application.id();
  const packageList = await application.packageList();
  const instances = await application.instances();
  const { ids, ...how } = await application.templateCandidates();
  if (ids.length > LIMITS.templates)
    throw new CliError(
      'failure',
      `Operations lists ${ids.length} service templates, and one upgrade takes ${LIMITS.templates}.`,
    );
  const templates = await application.templates({ ids, ...how });
  const facts = { build, applicationId, ...packageList, instances, templates };
  const unread: string[] = [];
  const plans = await plansOf(new BillingClient(connections.billing, resolveSecret), options.plan, unread);
  const { chosen } = (await context.catalogue()).choose(instances.map(({ packageVersion }) => packageVersion));
  return {
    provider,
    ...connections,
    facts,
    plans,
    gateways: await gatewaysOf(instances),
    to: chosen?.release.version,
    unread,
  };
}

/** A plan that cannot be read does not hide what else is known. */
async function plansOf(
  client: BillingClient,
  ids: readonly number[],
  unread: string[],
): Promise<FoundProvider['plans']> {
  const plans: FoundProvider['plans'] = [];
  for (const id of ids) {
    try {
      plans.push(await client.plan(id));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      unread.push(`plan ${id}: ${error.message}`);
    }
  }
  return plans;
}

async function gatewaysOf(instances: readonly { endpointUrl: string }[]): Promise<Record<string, string[]>> {
  const hostnames = new Set(instances.flatMap(({ endpointUrl }) => parseEndpointUrl(endpointUrl)?.hostname ?? []));
  const resolved = await Promise.all(
    [...hostnames].map(async (hostname) => [hostname, await addressesOf(hostname)] as const),
  );
  return Object.fromEntries(resolved);
}

/** None where this machine does not know the name: the management node may. */
async function addressesOf(hostname: string): Promise<string[]> {
  const found = await dns.lookup(hostname, { family: 4, all: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.syscall === 'getaddrinfo') return [];
    throw error;
  });
  return found.map(({ address }) => address);
}

function connectionsOf(options: DraftOptions): Pick<FoundProvider, 'operations' | 'aps' | 'billing'> {
  const { caFile, verifyTls } = options;
  // In the entry they are relative to its folder, and here to the current one.
  const tls = {
    ...(caFile === undefined ? {} : { caFile: path.resolve(caFile) }),
    ...(verifyTls ? {} : { verifyTls }),
  };
  const managementNode = URL.canParse(options.operations) ? new URL(options.operations).hostname : '';
  const given = {
    operations: { url: options.operations, ...login(options.operationsUser, options.operationsPassword), ...tls },
    aps: {
      url: options.aps ?? `https://${managementNode}:6308/`,
      ...(options.apsUserId === undefined ? {} : { userId: options.apsUserId }),
      ...tls,
    },
    billing: { url: options.billing, ...login(options.billingUser, options.billingPassword), ...tls },
  };
  return {
    operations: checked('operations', operationsConnection, given.operations),
    aps: checked('aps', apsConnection, given.aps),
    billing: checked('billing', billingConnection, given.billing),
  };
}

function login(user: string | undefined, password: string | undefined): { user?: string; password?: string } {
  const reference = password?.startsWith('file:') ? `file:${path.resolve(password.slice('file:'.length))}` : password;
  return { ...(user === undefined ? {} : { user }), ...(reference === undefined ? {} : { password: reference }) };
}

function checked<Schema extends z.ZodType>(name: string, schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new CliError('usage', 'Nothing was read, and nothing was written:', {
    problems: problemsOf(parsed.error, given).map((problem) => `--${name}: ${problem}`),
  });
}
