/** How things on a simulated host go wrong, as seen from the script that runs there. */
import type { FailureType } from '../../contract/activities';

/** A Windows command failed: PowerShell goes on and the script gets the error. */
export class CommandFailed extends Error {}

/** PowerShell itself ends in the middle of the script; nobody gets an answer. */
export class PowerShellDied extends Error {}

/** The script ends itself with a failure of that kind, as `Fail` does in the scripts. */
export class ScriptFailed extends Error {
  constructor(
    readonly kind: FailureType,
    message: string,
  ) {
    super(message);
  }
}

/** A fault was ordered for something that cannot act it out; to go on as if nothing was would prove nothing. */
export class UnknownFault extends Error {
  constructor(kind: string, call: string) {
    super(`The simulated host cannot act out the fault ${kind} in ${call}`);
  }
}

/** Faults of the wire that end PowerShell before the effect, and after it. */
export const DEAD_BEFORE: ReadonlySet<string> = new Set(['refuse', 'reset', 'error500']);
export const DEAD_AFTER: ReadonlySet<string> = new Set(['effectThenNoAnswer', 'malformed']);

/**
 * Faults of system `host`. `call` of a fault rule is a script (`setup`, `reset`, ...) for those of PowerShell, else
 * `setup.cmd`, `iisreset` or the name of another Windows command. The faults of the wire have their meaning here as well:
 * `fault` fails the script or command, `slow` delays it, `effectThenNoAnswer` and `malformed` end PowerShell after the
 * effect, the others before it.
 */
export const POWERSHELL_FAULTS = [
  /** PowerShell never ends. */
  'hang',
  /** PowerShell ends with exit code 0 at once and prints nothing. */
  'exitsSilently',
  /** PowerShell is ended by a signal before it does anything. */
  'diesBySignal',
  /** Harmless text on standard error. */
  'stderrNoise',
  /** 10 MB on standard output before the script. */
  'floodsOutput',
  /** Text in another encoding on standard output before the script. */
  'wrongEncoding',
] as const;

export const SETUP_FAULTS = [
  /** Ends with exit code 1603 and leaves the files as they were. */
  'setupFails',
  /** Ends with exit code 1603 and leaves files of both versions. */
  'setupHalfFinishes',
  /** Ends with exit code 0 and leaves the files as they were. */
  'setupDoesNothing',
  /** Never ends by itself. */
  'setupHangs',
  /** PowerShell dies; setup.cmd goes on, takes `delayMs` in all, and completes. */
  'setupOutlives',
  /** Goes on when PowerShell is ended, as where only PowerShell is; takes `delayMs` in all, and completes. */
  'setupSurvives',
] as const;

export const RESTART_FAULTS = [
  /** shutdown.exe reports success, and somebody calls the restart off before it begins. */
  'restartCalledOff',
] as const;

export const RESET_FAULTS = [
  /** iisreset gives up: non-zero exit code, services as they were. */
  'resetTimesOut',
  /** iisreset reports success, and the service W3SVC is stopped. */
  'resetLeavesStopped',
] as const;

/** What hosts do that are alive, by the command that meets it: as reported from the field, and shown one by one (test/endpoint). */
export const FIELD_FAULTS: Record<string, readonly string[]> = {
  'setup.cmd': [
    /** All files are new, the exit code is 0, and the log says that the database has drifted. */
    'setupDrifts',
    /** The same with exit code 1. */
    'setupDriftsAndFails',
    /** All files are new, and the exit code is 3010. */
    'setupWantsRestart',
    /** Exit code 3010, and some files are new only after the restart. */
    'setupNeedsRestart',
  ],
  iisreset: [
    /** Gives up with 1062, and W3SVC goes on stopping for `delayMs`. */
    'resetStopsHalf',
    /** Reports success, the services run, and no pool can start. */
    'resetLeavesPoolsDown',
  ],
  'Stop-WebAppPool': [
    /** The pool goes on stopping for `delayMs`, and takes no order meanwhile. */
    'poolStopsSlowly',
  ],
  discover: [
    /** A PowerShell with another one's PSModulePath finds none of the modules of its own. */
    'foreignModules',
  ],
  'Expand-Archive': [
    /** A function of a script module says `Write-Error`, and has left half of the files. */
    'diskIsFull',
  ],
};
