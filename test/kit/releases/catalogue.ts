/** The catalogue of tests: what Onward knows, and one release more. */
import { Catalogue } from '../../../workflows/engine/catalogue';
import { CATALOGUE } from '../../../workflows/releases';
import { release185 } from './18.5';

export const WITH_18_5 = new Catalogue([...CATALOGUE.releases, release185]);
