/** What a look at an installation of Onward finds. */
export interface Finding {
  /** What was looked at: `server`, `task queue endpoint/gw-host-01`. */
  about: string;
  /** A warning keeps no upgrade from running. */
  verdict: 'pass' | 'warning' | 'problem';
  /** One sentence, and what to do where there is something. */
  message: string;
}

export const pass = (about: string, message: string): Finding => ({ about, verdict: 'pass', message });
export const warning = (about: string, message: string): Finding => ({ about, verdict: 'warning', message });
export const problem = (about: string, message: string): Finding => ({ about, verdict: 'problem', message });
