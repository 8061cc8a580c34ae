/** The file that has the settings of a worker that is a service, as `node --env-file` reads it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { findExecutable } from '../../../systems/endpoint/executable';
import { InvalidCodecKeys, readEncryption } from '../../../temporal/codec-keys';
import { encryptionOf, InvalidTemporalSettings, temporalSettings } from '../../../temporal/connection';
import { CliError } from '../../kit/cli-error';
import { telemetryOf } from '../telemetry-settings';

export interface WorkerEnvironment {
  values: NodeJS.ProcessEnv;
  problems: string[];
}

/** Everything that is wrong with it, each in one line, and no value of it. */
export async function readWorkerEnvironment(file: string): Promise<WorkerEnvironment> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    return {
      values: {},
      problems: [`${file} cannot be read (${code}): write the settings of the worker there, TEMPORAL_ADDRESS at least`],
    };
  }
  if (/[\uFEFF\uFFFD\0]/.test(text)) {
    return {
      values: {},
      problems: [
        `${file} is no plain UTF-8, and Node.js would misread it: in Windows PowerShell, save it with Set-Content -Encoding ascii`,
      ],
    };
  }
  const values: NodeJS.ProcessEnv = parseEnv(text);
  const problems = [
    ...text.split(/\r?\n/).flatMap((line, index) => {
      const plain = /^\s*(#|$|(export\s+)?[A-Za-z_]\w*\s*=)/.test(line);
      const cut = /^\s*(export\s+)?[A-Za-z_]\w*\s*=\s*(?=\S)(?!['"`])[^#]*[^#\s]#/.test(line);
      return [
        ...(plain ? [] : [`${file}, line ${index + 1} is no setting: write NAME=value`]),
        ...(cut ? [`${file}, line ${index + 1} would be read up to its #: write the value in single quotes`] : []),
      ];
    }),
    ...Object.entries(values).flatMap(([name, value = '']) =>
      /\p{Cc}/u.test(value)
        ? [`${file}: ${name} holds a line break or the like: write it without double quotes, in which \\n is one`]
        : [],
    ),
    ...Object.entries(values).flatMap(([name, value = '']) =>
      /^['"`]/.test(value) ? [`${file}: ${name} begins with a quote that does not end in its line`] : [],
    ),
    ...Object.entries(values).flatMap(([name, value = '']) =>
      filesIn(name, value).some((named) => !path.isAbsolute(named))
        ? [`${file}: ${name} names a file by a path that is not absolute, and the service runs in a folder of its own`]
        : [],
    ),
    ...(values['TEMPORAL_ADDRESS'] === undefined && values['TEMPORAL_CONFIG_FILE'] === undefined
      ? [`${file}: TEMPORAL_ADDRESS is missing, or TEMPORAL_CONFIG_FILE that says it`]
      : []),
    ...(await wrongSettings(values)).map((problem) => `${file}: ${problem}`),
  ];
  return { values, problems };
}

/** What a setting names that is read from where the worker runs. */
function filesIn(name: string, value: string): string[] {
  if (value === '') return [];
  if (name === 'ONWARD_CODEC_KEYS') return [...value.matchAll(/=\s*file:([^,]+)/g)].map(([, file = '']) => file);
  if (name === 'ONWARD_PWSH') return /[\\/]/.test(value) ? [value] : [];
  return /^(ONWARD_ENDPOINT|TEMPORAL_CONFIG_FILE|TEMPORAL_TLS_\w+_PATH|OTEL_EXPORTER_OTLP_(\w+_)?(CERTIFICATE|KEY))$/.test(
    name,
  )
    ? [value]
    : [];
}

async function wrongSettings(values: NodeJS.ProcessEnv): Promise<string[]> {
  const encryption = encryptionOf(values);
  const powershell = values['ONWARD_PWSH'] ?? '';
  return [
    ...(powershell === '' || findExecutable(powershell, process.env) !== undefined
      ? []
      : [`there is no ${powershell} on this machine, which ONWARD_PWSH names`]),
    ...(await problemsOf(() => telemetryOf(values, false))),
    ...(await problemsOf(() => temporalSettings(values))),
    // A key in another variable is for the worker alone to read.
    ...(encryption.codecKeys?.includes('env:') ? [] : await problemsOf(() => readEncryption(encryption))),
  ];
}

async function problemsOf(read: () => unknown): Promise<string[]> {
  try {
    await read();
    return [];
  } catch (error) {
    if (error instanceof InvalidTemporalSettings || error instanceof InvalidCodecKeys || error instanceof CliError)
      return error.problems;
    throw error;
  }
}
