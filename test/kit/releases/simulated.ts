import type { SimulatedRelease } from '../../../src/contract/simulation';
import { simulation } from '../../../workflows/releases/18.4.1/simulation';

/** For a release that no sandbox runs: that of 18.4.1 under another version. */
export const simulatedAs = (version: string): SimulatedRelease => ({
  ...simulation,
  version,
  target: { ...simulation.target, version },
});
