import type { Progress } from './progress';

/** What is asked of a maker of the Temporal CLI. */
export interface CliOrder {
  /** `1.5.1` */
  version: string;
  /** Environment of the programs that do the work. */
  env: NodeJS.ProcessEnv;
  progress: Progress;
}
