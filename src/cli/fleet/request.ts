/** The request of a fleet, put together of a file and of what the command line says, checked as a whole. */
import { LineCounter, parseDocument, type Document } from 'yaml';
import { ONWARD } from '../../contract/onward';
import { fleetInput, type FleetInput } from '../../contract/fleet';
import { namesOfFields } from '../../inventory/schema';
import { explain, offsetOf, syntaxMistake, type Field, type Finding } from '../../inventory/yaml-fields';
import { readText, whyUnread } from '../../inventory/text-file';
import { CliError } from '../kit/cli-error';

/** What the command line says. A selection replaces that of the file as a whole; everything else only its own field. */
export interface FleetFlags {
  name?: string;
  provider?: string[];
  label?: Record<string, string>;
  sourceVersion?: string;
  all?: true;
  to?: string;
  wave?: (number | string)[];
  maxParallel?: number;
  budgetWave?: number | string;
  budgetRun?: number | string;
  /** Seconds. */
  soak?: number;
  /** Seconds. */
  parkAfter?: number;
  approve?: string[];
}

type Fields = Record<string, unknown>;
const APPROVALS = ['plan', 'waves'];

/**
 * @param by who starts the fleet; without it who the file names, else `user`.
 * @throws CliError `usage` with every problem, each with the line or the option that it is about.
 */
export async function fleetRequest(
  flags: FleetFlags,
  { file, by, user }: { file?: string | undefined; by?: string | undefined; user: () => string },
): Promise<FleetInput> {
  const written = file === undefined ? undefined : await readFleetFile(file);
  const given = merged(written?.value ?? {}, flags);
  const input = { ...given, startedBy: by ?? given['startedBy'] ?? user() };
  const parsed = fleetInput.safeParse(input);
  const names = namesOfFields(fleetInput);
  const findings = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, input, names)),
    ...unknownApprovals(flags),
  ];
  if (parsed.success && findings.length === 0) return input as FleetInput;
  const problems = findings.map((finding) => described(finding, flags, written));
  throw invalid(problems);
}

interface FleetFile {
  value: Fields;
  /** `fleet.yaml:12` */
  placeOf(field: Field): string;
}

/** YAML, of which JSON is a part. */
async function readFleetFile(file: string): Promise<FleetFile> {
  const text = await readText(file).catch((error: unknown) => {
    throw invalid([`${file}: ${whyUnread(error)}`]);
  });
  const lines = new LineCounter();
  const document: Document.Parsed = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeAt = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const mistake = syntaxMistake(document);
  if (mistake !== undefined) throw invalid([`${placeAt(mistake.offset)}: ${mistake.message}`]);
  const value: unknown = document.toJS();
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid([`${file}: must hold one fleet, with fields such as name and providers`]);
  }
  return { value: value as Fields, placeOf: (field) => placeAt(offsetOf(document, field)) };
}

function merged(file: Fields, flags: FleetFlags): Fields {
  const { provider, label, sourceVersion, all, approve } = flags;
  const selects = [provider, label, sourceVersion, all].some((flag) => flag !== undefined);
  return {
    ...file,
    ...defined({
      name: flags.name,
      to: flags.to,
      waves: flags.wave,
      maxParallel: flags.maxParallel,
      soak: flags.soak,
      parkAfter: flags.parkAfter,
    }),
    ...(selects ? { providers: defined({ ids: provider, labels: label, sourceVersion, all }) } : {}),
    ...within(file, 'budget', { wave: flags.budgetWave, run: flags.budgetRun }),
    ...(approve === undefined
      ? {}
      : { approval: { plan: approve.includes('plan'), waves: approve.includes('waves') } }),
  };
}

/** Some fields of one that has fields itself; whatever else the file gave there is for the check to judge. */
function within(file: Fields, name: string, flags: Fields): Fields {
  const given = defined(flags);
  return Object.keys(given).length === 0 ? {} : { [name]: { ...(file[name] as Fields | undefined), ...given } };
}

const defined = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

function unknownApprovals({ approve = [] }: FleetFlags): Finding[] {
  return approve
    .filter((what) => !APPROVALS.includes(what))
    .map((what) => ({ field: ['approval'], message: `${what} is not plan or waves` }));
}

/** Options by the field that they give. */
const OPTIONS: [field: string, flag: keyof FleetFlags, option: string][] = [
  ['name', 'name', '--name'],
  ['providers.ids', 'provider', '--provider'],
  ['providers.labels', 'label', '--label'],
  ['providers.sourceVersion', 'sourceVersion', '--source-version'],
  ['providers.all', 'all', '--all'],
  ['to', 'to', '--to'],
  ['waves', 'wave', '--wave'],
  ['maxParallel', 'maxParallel', '--max-parallel'],
  ['budget.wave', 'budgetWave', '--budget-wave'],
  ['budget.run', 'budgetRun', '--budget-run'],
  ['soak', 'soak', '--soak'],
  ['parkAfter', 'parkAfter', '--park-after'],
  ['approval', 'approve', '--approve'],
];

/** What to give where a field is missing altogether. */
const REMEDIES: Record<string, string> = {
  name: 'name the fleet with --name, or in the file',
  providers: 'select providers with --provider, --label, --source-version or --all, or in the file',
};

function described({ field, message }: Finding, flags: FleetFlags, file: FleetFile | undefined): string {
  const path = field.map(String).join('.');
  const said = message.startsWith('is missing') ? (REMEDIES[path] ?? message) : message;
  const option = OPTIONS.find(
    ([name, flag]) => flags[flag] !== undefined && (path === name || path.startsWith(`${name}.`)),
  );
  if (option !== undefined) return `${option[2]}: ${said}`;
  const shown = path === '' ? said : `${path}: ${said}`;
  return file === undefined ? shown : `${file.placeOf(field)}: ${shown}`;
}

const invalid = (problems: string[]): CliError =>
  new CliError('usage', 'No fleet was started, because this is not a valid request for one:', {
    problems,
    hint: `${ONWARD} fleet start --help describes the options, and shows a file.`,
  });
