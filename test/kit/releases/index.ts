/** The releases that only tests know, for whoever rehearses. */
import path from 'node:path';
import type { ReleaseFolder } from '../../../src/systems/endpoint/release-scripts';
import type { Catalogue } from '../../../workflows/engine/catalogue';
import { WITH_18_5 } from './catalogue';

/** A catalogue other than Onward's own. */
export interface KnownReleases {
  catalogue: Catalogue;
  /** File of the workflows for it. */
  workflows: string;
  /** Where the scripts of its releases lie. */
  folders: ReleaseFolder[];
}

/** What Onward knows, and one release more, which brings scripts for endpoint hosts. */
export const NEXT_RELEASE: KnownReleases = {
  catalogue: WITH_18_5,
  workflows: require.resolve('./workflows.ts'),
  folders: [{ version: '18.5', folder: path.join(__dirname, '18.5') }],
};
