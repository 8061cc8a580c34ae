/** What the command `sandbox` can be told. */
import type { GlobalOptions } from '../kit/context';

export const PACES = ['quick', 'watchable'] as const;
export type Pace = (typeof PACES)[number];

/** Source versions of single providers where they differ from the usual ones: `{ contoso: '18.4' }`. */
export type Sources = Record<string, string>;

export interface SandboxCommandOptions extends GlobalOptions {
  data?: string;
  inventory?: string;
  source: Sources;
  /** So many providers instead of the usual ones. */
  fleet?: number;
  /** Id of the provider at the root of the ports. */
  root?: string;
  /** With the workers of its endpoint hosts. */
  workers?: boolean;
  pace: Pace;
  host: string;
  publicHost?: string;
  operationsPort: number;
  apsPort: number;
  billingPort: number;
  microsoftPort: number;
  controlPort: number;
}
