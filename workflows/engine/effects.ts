/**
 * What each activity changes, in the words of the system that it calls. A step declares the ones that it makes, and its context offers
 * no others: so a plan, which is made of these, cannot leave one out.
 */
import type { FrozenProfile } from '../../src/contract/entry';
import { withoutRelease } from '../../src/contract/versions';
import type { Activities } from '../kit/activities';
import type { PreflightFacts } from './preflight-facts';

/** What is known of an upgrade before it begins. */
export interface Foreseen {
  readonly profile: FrozenProfile;
  readonly to: string;
  readonly facts: PreflightFacts;
}

export interface Effect {
  readonly system: string;
  /** As its owner calls it: `pem.deactivateST`, `setup.cmd`. */
  readonly call: string;
  readonly effect: string;
  /** Names of what it is done to, as far as that is known before. */
  readonly on: (foreseen: Foreseen) => string[];
}

type SystemName = Exclude<keyof Activities, 'endpoint'>;
type OnHost = ReturnType<Activities['endpoint']>;
type ActivityName = { [System in SystemName]: keyof Activities[System] }[SystemName] | keyof OnHost;

const ON_HOST = { on: ({ profile }: Foreseen) => profile.endpointHosts.map(({ name }) => name) };
const ON_SITES = {
  on: ({ facts }: Foreseen) => [...new Set(facts.operations.instances.map(({ endpointUrl }) => endpointUrl))],
};
const ON_ACTIVE_TEMPLATES = {
  on: ({ facts }: Foreseen) => facts.operations.templates.filter(({ active }) => active).map(({ name }) => name),
};
const ON_INSTANCES = { on: ({ facts }: Foreseen) => facts.operations.instances.map(({ name }) => name) };
const ON_PROVIDER = { on: ({ profile }: Foreseen) => [profile.provider] };

/** By its activity. One that is not here does not compile. */
const EFFECTS = {
  readOperations: 'reads',
  readTemplates: 'reads',
  readActiveTemplates: 'reads',
  lookAgain: 'reads',
  findImported: 'reads',
  awaitImport: 'reads',
  awaitTasksProcessed: 'reads',
  readOpenTasks: 'reads',
  deactivateTemplates: {
    system: 'Operations',
    call: 'pem.deactivateST',
    effect: 'the service template can no longer be subscribed',
    ...ON_ACTIVE_TEMPLATES,
  },
  activateTemplates: {
    system: 'Operations',
    call: 'pem.activateST',
    effect: 'the service template can be subscribed again',
    ...ON_ACTIVE_TEMPLATES,
  },
  importPackage: {
    system: 'Operations',
    call: 'pem.APS.importPackage',
    effect: 'the package is in the package list: the point of no return',
    on: ({ to }) => [`the package of ${to}`],
  },
  upgradeInstance: {
    system: 'Operations',
    call: 'pem.APS.upgradeApplicationInstance',
    effect: 'the application instance runs the new version',
    on: ({ facts, to }) =>
      facts.operations.instances
        .filter(({ packageVersion }) => withoutRelease(packageVersion) !== to)
        .map(({ name }) => name),
  },
  readBilling: 'reads',
  testConnection: 'reads',
  resolveHostnames: 'reads',
  hashPackage: 'reads',
  awaitClaimEnd: 'reads',
  startGuards: {
    system: 'Onward',
    call: 'workflow guardConsent',
    effect: 'a guard watches over the refresh token',
    ...ON_INSTANCES,
  },
  endGuards: {
    system: 'Onward',
    call: 'workflow guardConsent',
    effect: 'no guard watches over the refresh token any more',
    ...ON_INSTANCES,
  },
  readLedger: 'reads',
  enterInstallation: {
    system: 'Onward',
    call: 'workflow keepLedger',
    effect: 'the installation belongs to this upgrade',
    ...ON_PROVIDER,
  },
  noteInLedger: {
    system: 'Onward',
    call: 'workflow keepLedger',
    effect: 'what begins is noted',
    ...ON_PROVIDER,
  },
  readHost: 'reads',
  detectSites: 'reads',
  claimHost: {
    system: 'endpoint host',
    call: 'claim.json',
    effect: 'the host belongs to this upgrade until it needs it no more',
    ...ON_HOST,
  },
  backupSite: {
    system: 'endpoint host',
    call: 'copy',
    effect: "a verified copy of the gateway's folder lies in the work directory",
    ...ON_SITES,
  },
  stagePackage: {
    system: 'endpoint host',
    call: 'download and unpack',
    effect: 'the package lies in the work directory',
    ...ON_HOST,
  },
  runSetup: {
    system: 'endpoint host',
    call: 'setup.cmd',
    effect: "the gateway's files and its database are of the new version",
    ...ON_SITES,
  },
  resetIis: {
    system: 'endpoint host',
    call: 'iisreset',
    effect: 'every site of the host is away for some seconds',
    ...ON_HOST,
  },
  runHostScript: {
    system: 'endpoint host',
    call: 'script of the release',
    effect: 'what the release needs is installed, and stays',
    ...ON_HOST,
  },
  restartHost: {
    system: 'endpoint host',
    call: 'restart of Windows',
    effect: 'all that the host serves is away for minutes, where the script asks for it',
    ...ON_HOST,
  },
  restoreSite: {
    system: 'endpoint host',
    call: 'copy back',
    effect: "the gateway's files are those of the backup",
    ...ON_SITES,
  },
} as const satisfies Record<ActivityName, Effect | 'reads'>;

/** An activity that changes something: `deactivateTemplates`. */
export type EffectName = {
  [Name in ActivityName]: (typeof EFFECTS)[Name] extends 'reads' ? never : Name;
}[ActivityName];
type Reads = Exclude<ActivityName, EffectName>;

type Offered<Interface, Changes extends EffectName> = {
  readonly [Name in keyof Interface & (Reads | Changes)]: Interface[Name];
};
/** The activities that read, and those of `Changes`. */
export type ActivitiesWith<Changes extends EffectName> = {
  readonly [System in SystemName]: Offered<Activities[System], Changes>;
} & { readonly endpoint: (host: { readonly name: string }) => Offered<OnHost, Changes> };

export const effectOf = (name: EffectName): Effect => EFFECTS[name];
