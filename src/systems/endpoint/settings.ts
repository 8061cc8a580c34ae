/**
 * What the worker of an endpoint host may do there: its own configuration, a YAML file that nobody but administrators of the host can
 * change. The control plane names packages by their hash; where they come from, and which of them may be run, is said here.
 */
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { unsafeForCommandLine } from '../../contract/command-line';
import { packageKey, packageSource } from '../../contract/provider';
import { readText, whyUnread } from '../../inventory/text-file';
import { explain, numbersAsNames, offsetOf, syntaxMistake } from '../../inventory/yaml-fields';

/** A folder as Windows spells it, or as other systems do; what is no absolute path stays what it is. */
function inOneSpelling(folder: string): string {
  const spelling = /^[A-Za-z]:/.test(folder) ? path.win32 : path.posix;
  const plain = spelling.normalize(folder);
  return plain === spelling.parse(plain).root ? plain : plain.replace(/[\\/]+$/, '');
}

export const endpointSettings = z.strictObject({
  /** Folder for packages, backups and records. */
  workDirectory: z
    .string()
    .refine(
      // YAML makes a tab and a line feed of "C:\\temp\\new".
      (folder) => !/\p{Cc}/u.test(folder),
      'holds a tab, a line feed or the like: write it without quotes, or in single ones, as YAML reads \\t and \\n in double ones',
    )
    .refine(
      (folder) => /^([A-Za-z]:[\\/]|\/(?!\/))./.test(inOneSpelling(folder)),
      'must be a folder on a drive of this host: C:\\Onward',
    )
    .refine(
      (folder) => !/[. ]([\\/]|$)/.test(inOneSpelling(folder)),
      'must have no name that ends with a dot or a space',
    )
    .refine(
      (folder) => unsafeForCommandLine({ folder: inOneSpelling(folder) }).length === 0,
      'must not hold any of & | < > ^ % " !, which a batch file would misread',
    )
    .transform(inOneSpelling)
    .default('C:\\Onward'),
  /** The packages that may be run here, by the version that they lead to. */
  packages: z.record(packageKey, packageSource.omit({ caFile: true })).default({}),
});
export type EndpointSettings = z.output<typeof endpointSettings>;

/** Where they stand: what `ONWARD_ENDPOINT` names, else `endpoint.yaml` in `%ProgramData%\Onward`, or in this folder elsewhere. */
export function endpointSettingsFile(env: NodeJS.ProcessEnv): string {
  const named = env['ONWARD_ENDPOINT'];
  if (named) return path.resolve(named);
  return process.platform === 'win32'
    ? path.join(env['ProgramData'] || 'C:\\ProgramData', 'Onward', 'endpoint.yaml')
    : path.resolve('endpoint.yaml');
}

/** What is wrong with the configuration of this host, all at once. */
export class InvalidEndpointSettings extends Error {
  override readonly name = 'InvalidEndpointSettings';
  constructor(
    readonly file: string,
    readonly problems: string[],
  ) {
    const list = problems.map((problem) => `\n- ${problem}`).join('');
    super(
      `The configuration of this endpoint host, ${file}, cannot be used:${list}\nIt says which packages may be run here (docs/windows-host.md).`,
    );
  }
}

/** @throws InvalidEndpointSettings */
export async function readEndpointSettings(file: string): Promise<EndpointSettings> {
  const lines = new LineCounter();
  // Pretty errors quote the line, which may hold the signature of a URL.
  const document = parseDocument(await textOf(file), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number, message: string) => `line ${lines.linePos(offset).line}: ${message}`;
  const mistake = syntaxMistake(document);
  if (mistake !== undefined) throw new InvalidEndpointSettings(file, [at(mistake.offset, mistake.message)]);
  const value: unknown = document.toJS() ?? {};
  const parsed = endpointSettings.safeParse(value);
  const findings = [
    ...(parsed.error?.issues ?? []).flatMap((issue) => explain(issue, value, FIELDS)),
    ...numbersAsNames(document, ['packages']),
  ];
  if (parsed.success && findings.length === 0) return parsed.data;
  throw new InvalidEndpointSettings(
    file,
    findings.map(({ field, message }) => at(offsetOf(document, field), [field.join('.'), message].join(' '))),
  );
}

const FIELDS = ['workDirectory', 'packages', 'url', 'sha256'];

async function textOf(file: string): Promise<string> {
  try {
    return await readText(file);
  } catch (error) {
    throw new InvalidEndpointSettings(file, [`it ${whyUnread(error)}`]);
  }
}
