/** The entry of a provider as a draft: what its systems have told, and what a person has to add. Never a secret. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import type { OperationsFacts } from '../contract/facts';
import { ONWARD } from '../contract/onward';
import type { ApsConnection, BillingConnection, OperationsConnection } from '../contract/provider';
import { describePlace, entriesOf } from './entry';
import { inventoryFiles } from './inventory';
import { EntrySchema } from './schema';

/** What was found, and why the rest was not. */
export interface FoundProvider {
  provider: string;
  operations: OperationsConnection;
  aps: ApsConnection;
  billing: BillingConnection;
  facts: OperationsFacts;
  plans: { id: number; name: string; serviceTemplateId: number }[];
  /** Gateway hostnames of the instances' end-point URIs, with their addresses as this machine resolves them. */
  gateways: Record<string, string[]>;
  /** The version that the instances can be upgraded to; undefined where that is not clear. */
  to: string | undefined;
  /** What could not be read, a sentence each. */
  unread: string[];
}

/** An entry of this provider, or a file of its name, is there already; nothing was written. */
export class EntryExists extends Error {
  override readonly name = 'EntryExists';
}

/**
 * Writes the draft into a new file, `<provider>.yaml`.
 *
 * @returns its path.
 * @throws EntryExists
 */
export async function writeDraft(directory: string, found: FoundProvider): Promise<string> {
  const { provider } = found;
  await mkdir(directory, { recursive: true });
  await refuseDouble(directory, provider);
  const file = path.join(directory, `${provider}.yaml`);
  try {
    await writeFile(file, draftOf(found), { flag: 'wx', mode: 0o640 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(provider, describePlace(file, undefined));
    throw error;
  }
  return file;
}

async function refuseDouble(directory: string, provider: string): Promise<void> {
  for (const file of await inventoryFiles(directory)) {
    const entries = await entriesOf(file, EntrySchema.ofAnyWorker, (text) => text.includes(provider));
    const there = entries.find((entry) => entry.provider === provider);
    if (there) throw exists(provider, describePlace(file, there.lineOf(['provider'])));
  }
}

const exists = (provider: string, place: string): EntryExists =>
  new EntryExists(`There is an entry of ${provider} already, at ${place}; nothing was written.`);

/** In words of its systems: a name may be anything, and must not become YAML. */
const quoted = (text: string | number): string => JSON.stringify(String(text));
const comment = (text: string): string => `# ${text.replace(/\p{Cc}+/gu, ' ')}`;

export function draftOf(found: FoundProvider): string {
  const { provider, operations, aps, billing, facts, plans, gateways, to, unread } = found;
  const hostnames = Object.keys(gateways);
  return [
    comment(
      `Draft of the entry of ${provider}. Complete what says TODO, and take this line away; then: ${ONWARD} inventory check`,
    ),
    comment('inventory/example.yaml.sample shows every setting that there is.'),
    ...unread.map((problem) => comment(`TODO: not read: ${problem}`)),
    '',
    `provider: ${quoted(provider)}`,
    '',
    comment(`Odin Automation, build ${facts.build}.`),
    section('operations', operations),
    '',
    section('aps', aps),
    '',
    section('billing', billing),
    '',
    ...applicationComments(facts),
    '',
    comment('Billing plans that sell Office 365. Billing has no call that lists plans: name every one of them.'),
    ...plans.map(({ id, name, serviceTemplateId }) => comment(`${id}: ${name}, service template ${serviceTemplateId}`)),
    `plans: [${plans.map(({ id }) => id).join(', ')}]${plans.length === 0 ? ' # TODO' : ''}`,
    '',
    comment('TODO: the online stores that sell Office 365. Where there is none, say so: stores: []'),
    '#stores:',
    '#  - id: main',
    '#    name: Name of the store',
    '',
    comment('TODO: names of the Windows hosts that serve the gateways, as their workers call them (--host).'),
    'endpointHosts: []',
    '',
    comment('TODO: the names under which these sites were installed in IIS; without them a person is asked for each.'),
    '#installedSites:',
    ...hostnames.map((hostname) => `#  - { hostname: ${quoted(hostname)}, site: "" }`),
    '',
    comment(
      'Where this machine and the management node resolve a name alike, nothing has to stand here. Resolved here:',
    ),
    ...hostnames.map((hostname) => comment(`${hostname}: ${gateways[hostname]?.join(', ') || 'not at all'}`)),
    '#gatewayAddresses:',
    ...hostnames.map((hostname) => `#  ${quoted(hostname)}: ${gateways[hostname]?.[0] ?? '<address>'}`),
    '',
    comment('TODO: where the management node and the endpoint hosts find the package, and its SHA-256 in lower case.'),
    'packages:',
    `  ${quoted(to ?? '<version>')}:`,
    '    url: ""',
    '    sha256: ""',
    '',
  ].join('\n');
}

const section = (name: string, connection: object): string => stringify({ [name]: connection }).trimEnd();

function applicationComments({ applicationId, instances, templates, enabledVersions }: OperationsFacts): string[] {
  const active = templates.filter((template) => template.active);
  return [
    comment(
      `Office 365, application ${applicationId ?? 'not imported'}; enabled packages: ${enabledVersions.join(', ') || 'none'}.`,
    ),
    comment(`Application instances, ${instances.length}:`),
    ...instances.map(({ id, name, packageVersion, status, cloud, endpointUrl }) =>
      comment(`  ${id} ${quoted(name)}: ${packageVersion}, ${status}, Microsoft cloud ${cloud}, ${endpointUrl}`),
    ),
    comment(
      `Service templates with Office 365, ${templates.length}; active, and deactivated during the upgrade, ${active.length}:`,
    ),
    ...active.map(({ id, name }) => comment(`  ${id} ${quoted(name)}`)),
  ];
}
