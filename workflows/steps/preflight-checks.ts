/**
 * Every refusal, warning and "make sure" of the release notes that can be looked at before anything is touched.
 * Pure: what the systems said goes in, findings come out. The names are those of the README's table.
 *
 * Two conditions act later, where their facts are known: `gatewaySiteNames` (./collect-gateway-sites) and
 * `tasksProcessed` (./drain-tasks).
 */
import type {
  ApplicationInstance,
  BillingFacts,
  HostFacts,
  OperationsFacts,
  PackageFacts,
} from '../../src/contract/facts';
import { packageOf, type ProviderProfile } from '../../src/contract/provider';
import { SUPPORTED_PLATFORMS, TARGET_VERSION, platformOfBuild, withoutRelease } from '../../src/contract/versions';
import type { UpgradePath } from '../engine/path';
import { answered, type Reading } from '../kit/reading';
import { parseEndpointUrl } from './gateway-address';

export interface Readings {
  readonly profile: ProviderProfile;
  readonly startedBy: string | undefined;
  /** The paths there are. */
  readonly paths: readonly UpgradePath[];
  readonly operations: Reading<OperationsFacts>;
  readonly billing: Reading<BillingFacts>;
  readonly package: Reading<PackageFacts>;
  readonly hosts: Reading<HostFacts>[];
}

export type Finding =
  | { verdict: 'pass' | 'warning' | 'refusal'; message: string }
  | { verdict: 'ask'; item: string; message: string; instructions: string };

export interface Check {
  readonly name: string;
  /** Which part of the release notes it stands for. */
  readonly source: string;
  readonly examine: (surveyed: Readings) => Finding[];
}

const pass = (message: string): Finding => ({ verdict: 'pass', message });
const warning = (message: string): Finding => ({ verdict: 'warning', message });
const refusal = (message: string): Finding => ({ verdict: 'refusal', message });

/** A check of what Operations said; `systemsAnswer` reports when it said nothing. */
const ofOperations =
  (examine: (facts: OperationsFacts, surveyed: Readings) => Finding[]) =>
  (surveyed: Readings): Finding[] =>
    answered(surveyed.operations) ? examine(surveyed.operations.value, surveyed) : [];

const quoted = (things: { name: string }[]): string => things.map(({ name }) => `"${name}"`).join(', ');

/** The instances that this upgrade still has to bring to the target version. */
export const toUpgrade = (instances: ApplicationInstance[]): ApplicationInstance[] =>
  instances.filter(({ packageVersion }) => withoutRelease(packageVersion) !== TARGET_VERSION);

/** The path from the version that the instances run, or why there is none. */
export function choosePath(facts: OperationsFacts, paths: readonly UpgradePath[]): UpgradePath | { problem: string } {
  const old = toUpgrade(facts.instances);
  const versions = [...new Set(old.map(({ packageVersion }) => withoutRelease(packageVersion)))].sort();
  const [from, ...others] = versions;
  if (from === undefined)
    return { problem: `All instances run ${TARGET_VERSION} already; there is nothing to upgrade.` };
  if (others.length > 0)
    return {
      problem: `Instances run different versions (${versions.join(', ')}); bring them to one supported version first.`,
    };
  const path = paths.find((candidate) => candidate.from === from);
  if (path) return path;
  const supported = paths.map((candidate) => candidate.from).join(' and ');
  return {
    problem: `${quoted(old)} run ${from}; only ${supported} can be upgraded to ${TARGET_VERSION}. Follow the allowed upgrade paths (KB 130752) to one of them first.`,
  };
}

/** Gateway applications of this provider on one host, by the names in its instances' end-point URIs. */
function gatewayApplications(host: HostFacts, instances: ApplicationInstance[]) {
  const names = new Set(instances.flatMap(({ endpointUrl }) => parseEndpointUrl(endpointUrl)?.application ?? []));
  return host.sites.flatMap((site) =>
    site.applications.filter(({ name }) => names.has(name)).map((application) => ({ site, application })),
  );
}

export const CHECKS: readonly Check[] = [
  {
    name: 'systemsAnswer',
    source: 'Every system that the procedure touches',
    examine: ({ operations, billing, package: file }) =>
      [operations, billing, file].map((reading: Reading<unknown>) =>
        answered(reading)
          ? pass(`${reading.what} answers.`)
          : refusal(`${reading.what} cannot be read: ${reading.problem}`),
      ),
  },
  {
    name: 'platformVersion',
    source: 'Dependencies and Pre-Requisites',
    examine: ofOperations(({ build }) => {
      const platform = platformOfBuild(build);
      const supported = SUPPORTED_PLATFORMS.some((version) => version === platform);
      return [
        supported
          ? pass(`Odin Automation ${platform ?? build} is supported.`)
          : refusal(
              `Odin Automation is "${build}"; the package requires ${SUPPORTED_PLATFORMS.join(', ')}. Upgrade the platform first.`,
            ),
      ];
    }),
  },
  {
    name: 'sourceVersion',
    source: 'Upgrade Procedure, Important: the current version has to be 18.3 or 18.4, along the allowed paths',
    examine: ofOperations((facts, { paths }) => {
      if (facts.applicationId === undefined || facts.instances.length === 0)
        return [refusal('Office 365 is not installed: there is no application instance to upgrade.')];
      const path = choosePath(facts, paths);
      if ('problem' in path) return [refusal(path.problem)];
      const done = facts.instances.length - toUpgrade(facts.instances).length;
      return [
        pass(`Instances run ${path.from}.`),
        ...(done > 0
          ? [
              warning(
                `${done} of ${facts.instances.length} instances run ${TARGET_VERSION} already: an earlier upgrade stopped half-way. They are not upgraded again, but take part in consents and validation.`,
              ),
            ]
          : []),
      ];
    }),
  },
  {
    name: 'instancesReady',
    source: 'Upgrade Procedure: upgrade existing application instances',
    examine: ofOperations(({ instances }) => {
      const busy = instances.filter(({ status }) => status !== 'Ready');
      return busy.length === 0
        ? [pass('Every instance is Ready.')]
        : [
            refusal(
              `Not Ready: ${busy.map(({ name, status }) => `"${name}" is ${status}`).join(', ')}. Finish or repair them first.`,
            ),
          ];
    }),
  },
  {
    name: 'microsoftCloudGermany',
    source: 'Microsoft Cloud Germany Is No Longer Supported',
    examine: ofOperations(({ instances }) => {
      const german = instances.filter(({ cloud }) => cloud === 'germany');
      const undecided = instances.filter(({ cloud }) => cloud === 'unknown');
      if (german.length > 0)
        return [
          refusal(
            `${quoted(german)} use Microsoft Cloud Germany, which ${TARGET_VERSION} no longer supports: this provider must not be upgraded.`,
          ),
        ];
      if (undecided.length === 0) return [pass('No instance uses Microsoft Cloud Germany.')];
      return undecided.map(({ id, name }) => ({
        verdict: 'ask',
        item: `cloud-${id}`,
        message: `Instance "${name}" does not use Microsoft Cloud Germany`,
        instructions: `No setting of instance "${name}" names its Microsoft cloud. Look at its portal URL and partner account. If it belongs to Microsoft Cloud Germany, abort: the provider must not be upgraded.`,
      }));
    }),
  },
  {
    name: 'separateAzureCsp',
    source: 'Known Issues and Limitations: Office 365 and Azure CSP cannot share a service template',
    examine: ofOperations(({ templates }) => {
      const mixed = templates.filter(({ azureCsp }) => azureCsp);
      return mixed.length === 0
        ? [pass('No service template sells Office 365 and Azure CSP together.')]
        : [warning(`${quoted(mixed)} sell Office 365 and Azure CSP together; use separate templates and plans.`)];
    }),
  },
  {
    name: 'trialOnCcpV1',
    source: 'Known Issues and Limitations: trial subscriptions in CCP v1',
    examine: ofOperations(({ templates }) => {
      const trials = templates.filter(({ trialOnCcpV1 }) => trialOnCcpV1);
      return trials.length === 0
        ? [pass('No trial template serves customers on CCP v1.')]
        : [
            warning(
              `${quoted(trials)}: trials cannot be turned into paid plans in CCP v1; switch those customers to UX1.`,
            ),
          ];
    }),
  },
  {
    name: 'usersScreen',
    source: 'Known Issues and Limitations: the Users screen of UX1 in Odin Automation 7.2',
    examine: ofOperations(({ build }) =>
      platformOfBuild(build) === '7.2'
        ? [
            warning(
              'On Odin Automation 7.2 trial services cannot be added on the Users screen of UX1; customers use the Office 365 screen.',
            ),
          ]
        : [pass('The limitation of the Users screen does not concern this platform.')],
    ),
  },
  {
    name: 'dnsHosting',
    source: 'Fixed Issues, APSA-20624: no DNS Hosting resource in the Office 365 service template',
    examine: ofOperations(({ templates }) => {
      const affected = templates.filter(({ dnsHosting }) => dnsHosting);
      return affected.length === 0
        ? [pass('No Office 365 template has a DNS Hosting resource.')]
        : [warning(`${quoted(affected)} have a DNS Hosting resource; remove it from the template.`)];
    }),
  },
  {
    name: 'activeTemplates',
    source: 'Upgrade Procedure: stop provisioning',
    examine: ofOperations(({ templates }) => {
      const active = templates.filter((template) => template.active);
      return active.length > 0
        ? [pass(`${active.length} of ${templates.length} Office 365 templates are active and will be deactivated.`)]
        : [warning('No Office 365 template is active: provisioning is off already and will stay off.')];
    }),
  },
  {
    name: 'emailParameter',
    source: 'Upgrade Procedure (18.3): remove o365_based_on_email',
    examine: ({ billing }) => {
      if (!answered(billing)) return [];
      const affected = billing.value.templates.filter(({ basedOnEmail }) => basedOnEmail);
      return [
        affected.length === 0
          ? pass('No billing service template has the parameter o365_based_on_email.')
          : pass(
              `o365_based_on_email has to go from billing service templates ${affected.map(({ serviceTemplateId }) => serviceTemplateId).join(', ')}; a step of the 18.3 path waits for it.`,
            ),
      ];
    },
  },
  {
    name: 'packageHash',
    source: 'Obtaining: the package as the vendor delivered it',
    examine: ({ profile, package: file }) => {
      if (!answered(file)) return [];
      const { url, sha256 } = packageOf(profile, TARGET_VERSION);
      return file.value.sha256 === sha256
        ? [pass(`The package is the expected one (${file.value.bytes} bytes).`)]
        : [
            refusal(
              `The package at ${url} has SHA-256 ${file.value.sha256}; the inventory expects ${sha256}. Fetch it again or correct the inventory.`,
            ),
          ];
    },
  },
  {
    name: 'endpointWorker',
    source: 'Upgrade Procedure: work on the Application Endpoint Host',
    examine: ({ hosts }) =>
      hosts.map((host) => {
        if (answered(host)) return pass(`The worker on ${host.what} answers.`);
        return refusal(
          host.nobodyListens
            ? `No worker listens for endpoint host ${host.what}: start "onward worker --host ${host.what}" on it.`
            : `Endpoint host ${host.what} cannot be read: ${host.problem}`,
        );
      }),
  },
  {
    name: 'elevatedSession',
    source: 'Upgrade Procedure: log on to the endpoint host as Administrator',
    examine: ({ hosts }) =>
      hosts
        .filter(answered)
        .map(({ value: { host, elevated } }) =>
          elevated
            ? pass(`The worker on ${host} runs elevated.`)
            : refusal(
                `The worker on ${host} does not run elevated; setup.cmd and iisreset need an administrator's session.`,
              ),
        ),
  },
  {
    name: 'sqlSysadmin',
    source: 'Upgrade Procedure, Important: sysadmin for the logins of gateway databases, unless LocalDB',
    examine: ofOperations(({ instances }, { hosts }) =>
      hosts.filter(answered).flatMap(({ value: host }) =>
        gatewayApplications(host, instances).map(({ site, application: { name, database } }) => {
          const where = `${host.host}, site "${site.name}", application ${name}`;
          if (!database)
            return refusal(
              `${where}: no database connection was found in its configuration; whether its login is sysadmin cannot be verified.`,
            );
          if (database.localDb) return pass(`${where} uses LocalDB.`);
          if (database.sysadmin)
            return pass(`${where}: login ${database.login} is sysadmin on ${database.dataSource}.`);
          return refusal(
            database.sysadmin === null
              ? `${where}: SQL Server ${database.dataSource} does not tell whether login ${database.login} is sysadmin. Verify and grant it.`
              : `${where}: login ${database.login} is not sysadmin on ${database.dataSource}. Grant it before the upgrade.`,
          );
        }),
      ),
    ),
  },
  {
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
  },
  {
    name: 'fourEyes',
    source: 'Provider setting approval.beforeCrossing',
    examine: ({ profile, startedBy }) =>
      profile.approval.beforeCrossing && startedBy === undefined
        ? [
            refusal(
              'The crossing of this provider needs an approval by someone other than who starts the upgrade; start it with {"provider": "...", "startedBy": "<you>"}.',
            ),
          ]
        : [],
  },
];
