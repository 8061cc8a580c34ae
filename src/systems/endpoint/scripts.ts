/**
 * The scripts in `scripts/`, each with what it takes and the facts that it gives. They decide nothing that can be decided
 * here; what they say is checked like any other answer from outside.
 */
import { z } from 'zod';
import type { HostScriptParameters } from '../../contract/activities';
import type { HostIdentity } from '../../contract/facts';

const file = z.object({ path: z.string(), bytes: z.number(), sha256: z.string() });
/** Of a gateway application, without what it writes itself while it runs (common.ps1, Test-Volatile). */
const siteFiles = z.array(file);
/** One file of a folder: path from there with forward slashes, size in bytes, SHA-256 in lower case. */
export type HashedFile = z.output<typeof file>;

/** What the files of an application say; `null` where there is no folder, or nothing in web.config. */
const deployed = z.object({
  assemblies: z.array(z.object({ file: z.string(), version: z.string().nullable() })).nullable(),
  webConfigVersion: z.string().nullable(),
});

const application = deployed.extend({
  name: z.string(),
  physicalPath: z.string(),
  /** `login` is empty where it cannot be told; of what cannot be read, `dataSource` says what it is, in brackets. */
  databases: z.array(z.object({ dataSource: z.string(), login: z.string(), sysadmin: z.number().nullable() })),
});

const inspectedSite = deployed.extend({
  site: z.string(),
  application: z.string(),
  /** `address:port:hostname` of each https binding; `null` where IIS has no such site. */
  bindings: z.array(z.string()).nullable(),
  /** `null` where the site has no such application. */
  physicalPath: z.string().nullable(),
});
export type InspectedSite = z.output<typeof inspectedSite>;

const otherBackup = z.object({ path: z.string(), operation: z.string(), at: z.string() });
export type OtherBackup = z.output<typeof otherBackup>;

/** A record that a script has written as JSON, one file each. */
const record = <T extends z.ZodType>(shape: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        context.addIssue({ code: 'custom', message: 'is no JSON' });
        return z.NEVER;
      }
    })
    .pipe(shape);

const setupEnded = z.object({
  id: z.string(),
  exitCode: z.number(),
  log: z.string(),
  /** Lines of the whole log that a person has to see. */
  remarks: z.array(z.string()),
  at: z.string(),
});
export type SetupEnded = z.output<typeof setupEnded>;
const setupStarted = z.object({
  id: z.string(),
  site: z.string(),
  application: z.string(),
  hostname: z.string(),
  ip: z.string(),
  at: z.string(),
});
const restoreBegun = z.object({
  id: z.string(),
  site: z.string(),
  application: z.string(),
  /** What the application's pool was before, and is to be afterwards. */
  pool: z.enum(['Started', 'Stopped']),
  at: z.string(),
});
const resetDone = z.object({
  /** Ids of the setups and restores that came before it. */
  covers: z.array(z.string()),
  exitCode: z.number(),
  /** What iisreset printed, without empty lines. */
  output: z.array(z.string()),
  services: z.array(z.object({ name: z.string(), state: z.string() })),
});
export type ResetDone = z.output<typeof resetDone>;

/** ISO 8601 in UTC. */
const time = z.iso.datetime();

const inspection = z.object({
  sites: z.array(inspectedSite),
  started: z.array(record(setupStarted)),
  ended: z.array(record(setupEnded)),
  restored: z.array(record(restoreBegun)),
  reset: z.array(record(resetDone)),
  /** Sites that a setup.cmd still runs for, whoever has started it. */
  running: z.array(z.object({ site: z.string(), application: z.string() })),
  /** When Windows was started last. */
  bootTime: time,
});
export type Inspection = z.output<typeof inspection>;

/** Hash of the file that was downloaded, or found; what was unpacked of it and is still blocked. */
const staged = z.object({ sha256: z.string(), blocked: z.array(z.string()) });
export type Staged = z.output<typeof staged>;

const access = z.object({ path: z.string(), sddl: z.string() });
/** Access that a file or folder has beside what it inherits: its path, and the list as SDDL. */
export type ExplicitAccess = z.output<typeof access>;

/** Shape of each script's result. */
export const RESULTS = {
  /** Its folders are there, and nobody but administrators can reach them. */
  protect: z.object({}),
  discover: z.object({
    identity: z.object({ computerName: z.string(), machineGuid: z.string(), smbiosUuid: z.string() }),
    elevated: z.boolean(),
    /** Why others than administrators might reach its folders. */
    exposed: z.array(z.string()),
    sites: z.array(
      z.object({
        name: z.string(),
        state: z.string(),
        bindings: z.array(z.string()),
        applications: z.array(application),
      }),
    ),
  }),
  precheck: z.object({
    /** On the drive of the work directory. */
    freeBytes: z.number(),
    applications: z.array(
      z.object({
        site: z.string(),
        application: z.string(),
        bytes: z.number(),
        /** Files that could not be copied; `.` for the folder itself. */
        unread: z.array(z.object({ path: z.string(), problem: z.string() })),
      }),
    ),
    /** `bytes`: what it takes on the disk, 0 where it lies there already. `kind` is that of the failure `problem`; both empty for none. */
    packages: z.array(staged.extend({ version: z.string(), bytes: z.number(), problem: z.string(), kind: z.string() })),
  }),
  inspect: inspection,
  /** The claim that stands now; empty for none. */
  claim: z.object({ claim: z.string() }),
  backup: z.object({
    /** Folder of this operation's copy. */
    path: z.string(),
    /** What was copied, and what the copy holds now; `null` without a complete one. */
    copy: z.object({ listed: siteFiles, copied: siteFiles, unread: z.array(z.string()) }).nullable(),
    deployed: siteFiles,
    /** What the application writes itself: in none of these lists. Of those, `unread` could not be copied. */
    ownDoing: z.array(z.string()),
    /** Complete copies of the same application by other operations; not looked for where this one has its own. */
    others: z.array(otherBackup),
  }),
  stage: staged,
  setup: setupEnded,
  reset: resetDone,
  /**
   * `status` 0: no HTTP answer. `connection` `refused`: nobody listens there; `none`: nothing came back, so nobody knows. `untrusted`: why
   * this host does not trust the site's certificate, which is another question than whether it answers.
   */
  answer: z.object({
    connection: z.enum(['made', 'refused', 'none']),
    status: z.number(),
    untrusted: z.string(),
    problem: z.string(),
  }),
  hash: z.object({
    backup: siteFiles,
    deployed: siteFiles,
    /** What was written down with the backup, and what the application has now. */
    access: z.object({ listed: z.array(access), found: z.array(access) }),
    /** A restore was begun, and either the files or the application's pool are not yet what they have to be. */
    unfinished: z.boolean(),
  }),
  restore: z.object({ deployed: siteFiles, access: z.array(access) }),
  'run-script': z.object({ done: z.boolean(), restartNeeded: z.boolean(), note: z.string(), bootTime: time }),
  /** When Windows was started last, and when it was asked to restart since; `null` where nobody has asked. */
  restart: z.object({ bootTime: time, askedAt: time.nullable() }),
};

/** What every script is told of the host. */
interface OnHost {
  /** The worker's own. */
  workDirectory: string;
}
/** Ends at once on any other machine. */
interface OnMachine extends OnHost {
  identity: HostIdentity;
}
/** A script that changes the host is refused unless its operation has claimed it. */
interface Changing extends OnMachine {
  /** Its id. */
  operation: string;
}
interface OnSite {
  site: string;
  application: string;
}
/** Such a script acts on what `inspect` has told of this operation, and is refused when more has been recorded since. */
export interface Decided extends Changing {
  /** Name of the folder that keeps this operation's records. */
  records: string;
  /** How many changes were recorded there when this was decided (upgrade-records). */
  seen: number;
}
interface Recorded extends Decided {
  /** Names this run's records. */
  id: string;
}

/** What each script takes. Texts are data wherever they go: no script makes code of them. */
export interface Parameters {
  /** `settings` is the folder that the worker has its configuration from; empty where that is no file. */
  protect: OnHost & { settings: string };
  discover: OnHost & { settings: string };
  /** Waits so long for files that somebody has open, at most. */
  precheck: OnHost & {
    applications: OnSite[];
    packages: { version: string; url: string; sha256: string }[];
    waitMilliseconds: number;
  };
  inspect: OnMachine & {
    sites: { site: string; application: string }[];
    /** Folder of an operation's records; empty to read none. */
    records: string;
    /** How long to wait for setups that still run. */
    waitMilliseconds: number;
  };
  /** Puts `claim` in place of `replaces`, and of nothing else; empty: of no claim. Both are texts that are only compared. */
  claim: OnMachine & { claim: string; replaces: string };
  /** `backup` names the copy's folder and the copy of the IIS configuration; `copy` says when to copy. */
  backup: OnSite & Decided & { backup: string; copy: 'never' | 'ifMissing' | 'always' };
  stage: Changing & { packageUrl: string; sha256: string };
  /** `remarkable`: a regular expression for lines of the log. */
  setup: OnSite & Recorded & { sha256: string; ip: string; hostname: string; remarkable: string };
  reset: Recorded & { covers: string[]; waitMilliseconds: number };
  /** `path` is the application's, as it stands in a URL. */
  answer: OnMachine & { address: string; hostname: string; path: string; waitMilliseconds: number };
  hash: OnSite & OnMachine & { backup: string };
  /** Without `replace` the files are what they have to be; the pool may not be. Waits so long for the pool, and for each file, at most. */
  restore: OnSite & Recorded & { backup: string; replace: boolean; waitMilliseconds: number };
  /** `file` is the script of that name which the release brings. */
  'run-script': Changing & { release: string; script: string; file: string; parameters: HostScriptParameters };
  /**
   * Asks Windows to restart, unless it was started at `bootedUntil` or later, or was asked after `askAgain` already. `record`
   * names the file that says so.
   */
  restart: Changing & { records: string; record: string; bootedUntil: string; askAgain: string };
}

export type ScriptName = keyof Parameters;
export type Result<N extends ScriptName> = z.output<(typeof RESULTS)[N]>;
