import type { SimulatedRelease } from '../../src/contract/simulation';
import { simulation as of1841 } from './18.4.1/simulation';

/** What every release says for the sandbox, the oldest release first. */
export const SIMULATED_RELEASES: readonly [SimulatedRelease, ...SimulatedRelease[]] = [of1841];
