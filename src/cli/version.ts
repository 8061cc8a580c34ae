import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Folder of the project: where package.json is. */
export const PROJECT_FOLDER = path.join(__dirname, '..', '..');

export function onwardVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(PROJECT_FOLDER, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
