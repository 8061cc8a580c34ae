/** How long things take in the sandbox, in milliseconds. Small by default; a demonstration gives larger ones. */
export interface Timings {
  /** One open Office 365 task after another, once provisioning has stopped. */
  drainMs: number;
  /** The task that imports a package. */
  importMs: number;
  /** The task after it that updates the upgrade relations; instances cannot be upgraded before it is done. */
  relationsMs: number;
  /** The upgrade of one application instance. */
  upgradeMs: number;
  /** setup.cmd on one gateway site. */
  setupMs: number;
  /** iisreset on one host. */
  iisResetMs: number;
  /** How long a host that restarts is down; also the longest that it takes to go down. */
  hostRestartMs: number;
  /** Life of an APS token. Assumption: 30 minutes (systems.md 2.1). */
  apsTokenMs: number;
}

export const QUICK: Timings = {
  drainMs: 10,
  importMs: 10,
  relationsMs: 10,
  upgradeMs: 20,
  setupMs: 0,
  iisResetMs: 0,
  hostRestartMs: 50,
  apsTokenMs: 30 * 60_000,
};

/** Slow enough that a person can watch. */
export const WATCHABLE: Timings = {
  drainMs: 3_000,
  importMs: 2_000,
  relationsMs: 2_000,
  upgradeMs: 4_000,
  setupMs: 2_000,
  iisResetMs: 1_000,
  hostRestartMs: 6_000,
  apsTokenMs: 30 * 60_000,
};
