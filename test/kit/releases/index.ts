/** The catalogue of tests, for whoever rehearses: what Onward knows, and one release more, which brings scripts for endpoint hosts. */
import path from 'node:path';
import type { ReleaseFolder } from '../../../src/systems/endpoint/release-scripts';
import { WITH_18_5 } from './catalogue';

export { WITH_18_5 };

export const RELEASE_FOLDERS: ReleaseFolder[] = [{ version: '18.5', folder: path.join(__dirname, '18.5') }];

/** The workflows for it. */
export const WORKFLOWS = require.resolve('./workflows.ts');
