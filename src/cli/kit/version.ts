import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../package-root';

/** What Node.js runs where Onward is installed. */
export const ONWARD_PROGRAM = path.join(PACKAGE_ROOT, 'tools', 'onward.mjs');

export function onwardVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
