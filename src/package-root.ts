/** Where Onward is installed, be it a clone or a package; the sources and what is built from them ask alike. */
import { existsSync } from 'node:fs';
import path from 'node:path';

/** Folder that has package.json. */
export const PACKAGE_ROOT = rootAbove(__dirname);

/** A clone, and no package that npm has installed: npm packs no lock file. */
export const isClone = (): boolean => existsSync(path.join(PACKAGE_ROOT, 'package-lock.json'));

/** What `npm run build` makes. */
export const BUILD_FOLDER = path.join(PACKAGE_ROOT, 'dist');

function rootAbove(folder: string): string {
  return existsSync(path.join(folder, 'package.json')) ? folder : rootAbove(path.dirname(folder));
}
