/** Finds a program the way the system would, before anything is started: a missing one must be an answer, not a crash. */
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** Absolute path of the program that `command` names, looked for on the PATH unless it is a path; `undefined` when there is none. */
export function findExecutable(command: string, env: NodeJS.ProcessEnv): string | undefined {
  const windows = process.platform === 'win32';
  const suffixes = windows && path.extname(command) === '' ? (env['PATHEXT'] ?? '.EXE').split(';') : [''];
  const folders = /[\\/]/.test(command)
    ? ['']
    : (env['PATH'] ?? env['Path'] ?? '').split(path.delimiter).filter(Boolean);
  return folders
    .flatMap((folder) => suffixes.map((suffix) => path.resolve(folder, command + suffix)))
    .find((candidate) => isExecutable(candidate));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
