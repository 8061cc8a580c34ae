/** The catalogue of tests: what Onward knows, and one release more. */
import { Catalogue } from '../../../workflows/engine/catalogue';
import { release1841 } from '../../../workflows/releases/18.4.1';
import { release185 } from './18.5';

export const WITH_18_5 = new Catalogue([release1841, release185]);
