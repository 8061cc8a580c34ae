/** Checks that releases draw on: each for a sentence that the notes of several releases have. */
import type { ApplicationInstance, GatewayDatabase, HostFacts, MicrosoftCloud } from '../../src/contract/facts';
import { sameName } from '../../src/contract/names';
import type { Requirement } from '../engine/release';
import { ofOperations, pass, quoted, refusal, warning, type Check } from '../engine/check';
import type { Condition } from '../engine/step';
import { knownByItsBeginning, type Versions } from '../engine/versions';
import { listed } from '../kit/listed';
import { answered } from '../kit/reading';
import { platformOfBuild, withoutRelease } from '../../src/contract/versions';
import { parseEndpointUrl } from '../engine/gateway-address';
import { has } from './remove-service-parameter';

/** What is no build of Odin Automation fits no version, whatever it looks like. */
const platformOf = (build: string): string => platformOfBuild(build) ?? `"${build}"`;

/** The platform as its build tells it: major and minor version only, no hotfix (systems.md 1.7). */
export const platform = (versions: Versions, source: string): Requirement => ({
  component: 'Odin Automation',
  versions: knownByItsBeginning(versions),
  read: ({ build }) => platformOf(build),
  where: 'Look at its version and hotfixes in Operations > System > About.',
  source,
});

/** Something whose version no system tells: a person looks. */
export const seenByPerson = (component: string, versions: Versions, where: string, source: string): Requirement => ({
  component,
  versions,
  read: () => undefined,
  where,
  source,
});

/**
 * Another application of the APS package list that has to fit; one that is not there does not matter. The list keeps older
 * packages beside newer ones, so one that fits is enough.
 * @param application its package id, a URI (systems.md 2.3).
 */
export const companion = (application: string, versions: Versions, source: string): Check => ({
  name: 'companionVersion',
  source,
  examine: ofOperations(({ companions }) => {
    const installed = companions.filter((each) => each.application === application);
    if (installed.length === 0) return [pass(`${application} is not installed.`)];
    const fitting = installed.find(({ version }) => versions.judge(withoutRelease(version)) === 'fits');
    if (fitting) return [pass(`${application} ${fitting.version} fits.`)];
    const found = installed.map(({ version }) => version).join(', ');
    return [refusal(`${application} is ${found}; it has to be ${versions.description}. Upgrade it first.`)];
  }),
});

/** "Do not upgrade": instances in a Microsoft cloud that the release no longer supports. */
export const noCloud = (cloud: MicrosoftCloud, called: string, check: { name: string; source: string }): Check => ({
  ...check,
  examine: ofOperations(({ instances }, { meant }) => {
    const there = instances.filter((instance) => instance.cloud === cloud);
    const undecided = instances.filter((instance) => instance.cloud === 'unknown');
    const version = meant?.to ?? 'this release';
    if (there.length > 0)
      return [
        refusal(
          `${quoted(there)} use ${called}, which ${version} no longer supports: this provider must not be upgraded.`,
        ),
      ];
    if (undecided.length === 0) return [pass(`No instance uses ${called}.`)];
    return undecided.map(({ id, name }) => ({
      verdict: 'ask',
      item: `cloud-${id}`,
      message: `Instance "${name}" does not use ${called}`,
      instructions: `No setting of instance "${name}" names its Microsoft cloud. Look at its portal URL and partner account. If it belongs to ${called}, abort: the provider must not be upgraded.`,
    }));
  }),
});

export const separateAzureCsp: Check = {
  name: 'separateAzureCsp',
  source: 'Known Issues and Limitations: Office 365 and Azure CSP cannot share a service template',
  examine: ofOperations(({ templates }) => {
    const mixed = templates.filter(({ azureCsp }) => azureCsp);
    return mixed.length === 0
      ? [pass('No service template sells Office 365 and Azure CSP together.')]
      : [warning(`${quoted(mixed)} sell Office 365 and Azure CSP together; use separate templates and plans.`)];
  }),
};

export const trialOnCcpV1: Check = {
  name: 'trialOnCcpV1',
  source: 'Known Issues and Limitations: trial subscriptions in CCP v1',
  examine: ofOperations(({ templates }) => {
    const trials = templates.filter((template) => template.trialOnCcpV1);
    return trials.length === 0
      ? [pass('No trial template serves customers on CCP v1.')]
      : [
          warning(
            `${quoted(trials)}: trials cannot be turned into paid plans in CCP v1; switch those customers to UX1.`,
          ),
        ];
  }),
};

export const activeTemplates: Check = {
  name: 'activeTemplates',
  source: 'Upgrade Procedure: stop provisioning',
  examine: ofOperations(({ templates }) => {
    const active = templates.filter((template) => template.active);
    return active.length > 0
      ? [pass(`${active.length} of ${templates.length} Office 365 templates are active and will be deactivated.`)]
      : [warning('No Office 365 template is active: provisioning is off already and will stay off.')];
  }),
};

export const onlineStores: Check = {
  name: 'onlineStores',
  source:
    'Upgrade Procedure: all online stores that are used for selling Office 365 services, and their customizations',
  examine: ({ profile: { stores } }) =>
    stores.length > 0
      ? [pass(`Online stores that sell Office 365, as the inventory says: ${quoted(stores)}.`)]
      : [
          warning(
            'The inventory says that no online store sells Office 365: none is synchronised, and no customization of a store is updated.',
          ),
        ],
};

/** A service parameter that has to be gone at the end; where no step of the path removes it, a person is told. */
export const serviceParameter = (
  { name }: { name: string },
  { removedBy, ...check }: { name: string; source: string; removedBy: string },
): Check => ({
  ...check,
  examine: ({ billing, meant }) => {
    if (!answered(billing)) return [];
    const affected = billing.value.templates.filter(has(name));
    const ids = listed(affected.map(({ serviceTemplateId }) => serviceTemplateId));
    if (affected.length === 0) return [pass(`No billing service template has the parameter ${name}.`)];
    const isRemoved = meant?.steps.includes(removedBy) ?? true;
    return [
      isRemoved
        ? pass(`${name} has to go from billing service templates ${ids}; the step ${removedBy} waits for it.`)
        : warning(
            `${name} is on billing service templates ${ids}, and this path does not remove it: remove it by hand.`,
          ),
    ];
  },
});

export const sqlSysadmin: Check = {
  name: 'sqlSysadmin',
  source: 'Upgrade Procedure, Important: sysadmin for the logins of gateway databases, unless LocalDB',
  examine: ofOperations(({ instances }, { hosts }) =>
    hosts.filter(answered).flatMap(({ value: host }) =>
      gatewayApplications(host, instances).flatMap(({ site, application: { name, database, databases } }) => {
        const where = `${host.host}, site "${site.name}", application ${name}`;
        const found = databases ?? (database ? [database] : []);
        if (found.length > 0 && found.every(({ localDb }) => localDb)) return [pass(`${where} uses LocalDB.`)];
        const asked = found.length > 0 ? found.flatMap(whyAsk) : [NO_CONNECTION];
        const [refused] = found.filter(isRefused);
        if (refused)
          return [
            refusal(
              `${where}: login ${refused.login} is not sysadmin on ${refused.dataSource}. Grant it before the upgrade.`,
            ),
          ];
        if (asked.length > 0)
          return [
            {
              verdict: 'ask',
              item: `sysadmin-${host.host}-${site.name}-${name}`,
              message: `${where}: the login of the gateway database is sysadmin, or the database is LocalDB`,
              instructions: `${asked.join(' ')} The vendor's procedure asks for the server role sysadmin unless the database is LocalDB: look in SQL Server Management Studio, also at the groups that the login is a member of. If it is not sysadmin, grant it first.`,
            },
          ];
        const logins = found.filter(({ localDb }) => !localDb);
        return [
          pass(
            `${where}: ${listed(logins.map(({ login, dataSource }) => `login ${login} is sysadmin on ${dataSource}`))}.`,
          ),
        ];
      }),
    ),
  ),
};

const NO_CONNECTION = 'No connection to a database was found in the configuration of the application.';

/** An account of Windows may have the role through a group, which SQL Server does not always tell. */
const isOfWindows = ({ login }: GatewayDatabase): boolean => login.includes('\\') || login.includes('@');

const isRefused = (database: GatewayDatabase): boolean =>
  !database.localDb && database.sysadmin === false && !isOfWindows(database);

/** Why a person has to look. */
function whyAsk({ dataSource, localDb, login, sysadmin }: GatewayDatabase): string[] {
  if (localDb || sysadmin === true) return [];
  if (login === '') return [`With which login the application comes to ${dataSource} cannot be told.`];
  return [
    sysadmin === null
      ? `SQL Server ${dataSource} does not tell it of the login "${login}".`
      : `SQL Server ${dataSource} says that "${login}" is not, which may be so through a group of Windows all the same.`,
  ];
}

export const sharedHost: Check = {
  name: 'sharedHost',
  source: 'Upgrade Procedure: iisreset restarts every site of the host',
  examine: ofOperations(({ instances }, { hosts }) =>
    hosts.filter(answered).flatMap(({ value: host }) => {
      const ours = new Set(gatewayApplications(host, instances).map(({ site }) => site.name));
      const others = host.sites.filter(({ name }) => !ours.has(name));
      return others.length === 0
        ? []
        : [warning(`${host.host} also serves ${quoted(others)}; iisreset interrupts these sites for some seconds.`)];
    }),
  ),
};

/** For a release with a prerequisite whose script may restart the hosts: everything on them stops for minutes. */
export const hostRestart = (source: string): Check => ({
  name: 'hostRestart',
  source,
  examine: ({ hosts }) =>
    hosts
      .filter(answered)
      .map(({ value: { host, sites } }) =>
        warning(`${host} may be restarted; all that it serves is away for minutes: ${quoted(sites) || 'no site'}.`),
      ),
});

/** Gateway applications of this provider on one host, by the names in its instances' end-point URIs. */
function gatewayApplications(host: HostFacts, instances: ApplicationInstance[]) {
  const names = instances.flatMap(({ endpointUrl }) => parseEndpointUrl(endpointUrl)?.application ?? []);
  return host.sites.flatMap((site) =>
    site.applications
      .filter(({ name }) => names.some((one) => sameName(one, name)))
      .map((application) => ({ site, application })),
  );
}

/** For steps that only some platforms need: `onlyWhere(onPlatform(below('8.0')), step, {})`. */
export const onPlatform = (versions: Versions): Condition => ({
  because: `Odin Automation, ${versions.description}`,
  holds: ({ operations: { build } }) => {
    const fit = knownByItsBeginning(versions).judge(platformOf(build));
    return fit === 'undecided' ? undefined : fit === 'fits';
  },
});
