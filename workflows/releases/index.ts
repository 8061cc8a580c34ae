import { Catalogue } from '../engine/catalogue';
import { release1841 } from './18.4.1';

/** Every release that Onward knows. A new one is a folder beside this file, and a name here. */
export const CATALOGUE = new Catalogue([release1841]);

/** For whoever puts a sandbox together. */
export const SIMULATED_RELEASES = CATALOGUE.simulations;
