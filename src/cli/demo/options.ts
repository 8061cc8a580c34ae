/** What the command `demo` can be told. */
import type { GlobalOptions } from '../kit/context';
import type { Pace } from '../operations/sandbox-options';

export interface DemoOptions extends GlobalOptions {
  provider?: string;
  from?: string;
  /** A fleet of so many providers instead of a single one. */
  fleet?: number;
  auto?: boolean;
  fresh?: boolean;
  pace: Pace;
  by?: string;
  port?: number;
  uiPort?: number;
  freePorts?: boolean;
  /** Everything stays up at the end, until Ctrl-C. */
  stay?: boolean;
}
