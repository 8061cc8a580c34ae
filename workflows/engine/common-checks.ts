/** Checks that every upgrade has to pass, whatever the release. */
import { ONWARD } from '../../src/contract/onward';
import { unsafeForCommandLine } from '../../src/contract/command-line';
import type { ApplicationInstance, IisApplication } from '../../src/contract/facts';
import { LIMITS } from '../../src/contract/limits';
import { isNewer, isBefore, isOfRelease, withoutRelease } from '../../src/contract/versions';
import { listed } from '../kit/listed';
import { answered, type Reading } from '../kit/reading';
import { ofOperations, pass, refusal, warning, type Check, type Finding, type Readings } from './check';
import { parseEndpointUrl } from './gateway-address';
import type { Requirement } from './release';

export const COMMON_CHECKS: readonly Check[] = [
  {
    name: 'systemsAnswer',
    source: 'Every system that the procedure touches',
    examine: ({ operations, billing, package: file }) =>
      [operations, billing, ...(file ? [file] : [])].map((reading: Reading<unknown>) =>
        answered(reading)
          ? pass(`${reading.what} answers.`)
          : refusal(`${reading.what} cannot be read: ${reading.problem}`),
      ),
  },
  {
    name: 'sourceVersion',
    source: 'Upgrade Procedure, Important: the current version has to be one that the release can follow',
    examine: ofOperations(({ applicationId, instances }, { meant, problem }) => {
      if (applicationId === undefined || instances.length === 0)
        return [refusal('Office 365 is not installed: there is no application instance to upgrade.')];
      if (!meant) return [refusal(problem ?? 'Nobody knows what the instances run.')];
      const { from, to } = meant;
      const done = instances.filter(({ packageVersion }) => withoutRelease(packageVersion) === to).length;
      return [
        pass(`Instances run ${from}; they can be upgraded to ${to}.`),
        ...(done > 0
          ? [
              warning(
                `${done} of ${instances.length} instances run ${to} already: an earlier upgrade stopped half-way. They are not upgraded again, but take part in consents and validation.`,
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
              `Not Ready: ${listed(busy.map(({ name, status }) => `"${name}" is ${status}`))}. Finish or repair them first.`,
            ),
          ];
    }),
  },
  {
    name: 'newerPackage',
    source: 'Bulk Application Upgrades: an instance gets the newest version that is enabled',
    examine: ofOperations(({ enabledVersions }, { meant }) => {
      if (!meant) return [];
      const newer = enabledVersions.filter((version) => isNewer(version, meant.to));
      return newer.length === 0
        ? [pass(`No package is enabled that is newer than ${meant.to}.`)]
        : [
            refusal(
              `${newer.join(', ')} is enabled in the package list: instances would get it instead of ${meant.to}. Disable it until the upgrade is over.`,
            ),
          ];
    }),
  },
  {
    name: 'packageListed',
    source:
      'Importing a package of the same version replaces the earlier release; only an enabled version serves for upgrades',
    examine: ofOperations(({ enabledVersions, disabledVersions = [] }, { meant }) => {
      if (!meant) return [];
      const ofTarget = (versions: readonly string[]) => versions.filter((each) => withoutRelease(each) === meant.to);
      const [enabled, disabled] = [ofTarget(enabledVersions), ofTarget(disabledVersions)];
      if (enabled.length + disabled.length === 0) return [pass(`${meant.to} is not in the package list yet.`)];
      return [
        ...enabled.map((version) =>
          warning(
            `${version} is in the package list already, and the upgrade takes it as imported: it does not import its own package over it. Compare its release with that of the package; where it is another one, remove it from the list, or import the right one by hand, before the upgrade starts. What is imported cannot be rolled back: this upgrade cannot be aborted, and nothing of it is undone, once it has begun to change anything.`,
          ),
        ),
        ...disabled.map((version) =>
          refusal(
            `${version} is in the package list and is not enabled: no instance can be upgraded to it. Enable it under Versions of the application where it is the right release, or remove it.`,
          ),
        ),
      ];
    }),
  },
  {
    name: 'size',
    source: 'The largest provider that one upgrade takes',
    examine: ({ profile: { plans, stores, endpointHosts }, operations }) => {
      const { instances = [], templates = [] } = answered(operations) ? operations.value : {};
      const sizes: [keyof typeof LIMITS, string, number][] = [
        ['instances', 'application instances', instances.length],
        ['activeTemplates', 'active Office 365 templates', templates.filter(({ active }) => active).length],
        ['templates', 'Office 365 templates', templates.length],
        ['gatewaySites', 'gateway applications', new Set(instances.map(({ endpointUrl }) => endpointUrl)).size],
        ['plans', 'plans in its inventory entry', plans.length],
        ['stores', 'stores in its inventory entry', stores.length],
        ['endpointHosts', 'endpoint hosts in its inventory entry', endpointHosts.length],
      ];
      return sizes
        .filter(([limit, , found]) => found > LIMITS[limit])
        .map(([limit, what, found]) =>
          refusal(
            `The provider has ${found} ${what}, and one upgrade takes ${LIMITS[limit]}. Upgrade it by the vendor's procedure.`,
          ),
        );
    },
  },
  {
    name: 'packageHash',
    source: 'Obtaining: the package as the vendor delivered it',
    examine: examinePackage,
  },
  {
    name: 'endpointWorker',
    source: 'Upgrade Procedure: work on the Application Endpoint Host',
    examine: ({ hosts }) =>
      hosts.map((host) => {
        if (answered(host)) return pass(`The worker on ${host.what} answers.`);
        return refusal(
          host.nobodyListens
            ? `No worker listens for endpoint host ${host.what}: start "${ONWARD} worker --host ${host.what}" on it.`
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
    name: 'endpointPackage',
    source: 'Obtaining: the package as the vendor delivered it',
    examine: ({ profile, meant, hosts }) => {
      const expected = meant && profile.packages[meant.to]?.sha256;
      if (!meant || expected === undefined) return [];
      return hosts.filter(answered).map(({ value: { host, packages } }) => {
        const allowed = packages[meant.to];
        if (allowed === expected) return pass(`${host} may run the package of ${meant.to}.`);
        return refusal(
          allowed === undefined
            ? `The configuration of ${host} allows no package of ${meant.to}: add it, with URL and SHA-256, to "packages" in endpoint.yaml on the host, and restart its worker.`
            : `The configuration of ${host} allows the package of ${meant.to} with SHA-256 ${allowed}, and the inventory names that with ${expected}. Compare both with what the vendor delivered.`,
        );
      });
    },
  },
  {
    name: 'endpointDisk',
    source: 'Upgrade Procedure: the package is unpacked on the endpoint host; no backup, no undo',
    examine: ofOperations(({ instances }, readings) =>
      readings.hosts.filter(answered).flatMap(({ value: { host, disk } }) => {
        if (!disk) return [];
        if ('problem' in disk)
          return [
            warning(`${host}: files, space and package could not be looked at before the upgrade: ${disk.problem}`),
          ];
        const gateways = gatewaysIn(instances, readings).filter((each) => each.host === host && !each.isNew);
        const file = disk.packages[readings.meant?.to ?? ''];
        return [
          ...(file?.problem ? [refusal(`${host}: the package cannot be unpacked there. ${file.problem}`)] : []),
          ...examineSpace(host, disk.freeBytes, gateways, file?.bytes ?? 0),
          ...gateways.flatMap(({ site, application, seen: { unread = [] } }) =>
            unread.length === 0
              ? []
              : [
                  refusal(
                    `${host}, site "${site}", application ${application}: files that nobody could back up: ${listed(unread)}. Let the worker's account read them, and end what keeps them open.`,
                  ),
                ],
          ),
        ];
      }),
    ),
  },
  {
    name: 'endpointScripts',
    source: 'Scripts of the release for the endpoint hosts',
    examine: ({ meant, hosts }) =>
      hosts
        .filter(answered)
        .flatMap(({ value: { host, scripts } }) =>
          (meant?.scripts ?? []).map((script) =>
            scripts.includes(`${meant?.to}/${script}`)
              ? pass(`The worker on ${host} has the script ${script}.`)
              : refusal(
                  `The worker on ${host} does not have the script ${script} of ${meant?.to}: update it to the version of Onward that the control plane runs.`,
                ),
          ),
        ),
  },
  {
    name: 'endpointFolders',
    source: 'What is run on a host lies where nobody but administrators can put anything',
    examine: ({ hosts }) =>
      hosts
        .filter(answered)
        .flatMap(({ value: { host, exposed } }) =>
          exposed.length === 0
            ? [pass(`The folders of the worker on ${host} are for administrators alone.`)]
            : exposed.map((why) =>
                refusal(
                  `${host}: ${why}, so what lies there is not to be trusted. Move it away and restart the worker, which makes it anew for administrators alone.`,
                ),
              ),
        ),
  },
  {
    name: 'endpointIdentity',
    source: 'An endpoint host is known by its machine',
    examine: ({ hosts }) =>
      hosts.filter(answered).flatMap(({ value: { host, identity } }) => {
        // Hardware without a UUID says nothing but zeros, or nothing but Fs.
        const unknown = (['machineGuid', 'smbiosUuid'] as const).filter((name) => !/[1-9a-e]/.test(identity[name]));
        return unknown.length === 0
          ? []
          : [warning(`${host} does not tell its ${unknown.join(', ')}: a clone of it is harder to tell from it.`)];
      }),
  },
  {
    name: 'gatewayNames',
    source: 'Upgrade Procedure: the parameters of setup.cmd',
    examine: ofOperations(({ instances }, readings) => [
      ...misnamed(instances),
      ...gatewaysIn(instances, readings).flatMap(({ host, site, application, hostnames, isNew }) =>
        isNew
          ? []
          : [{ site, application }, ...hostnames.map((hostname) => ({ hostname }))]
              .flatMap(unsafeForCommandLine)
              .map((unsafe) =>
                refusal(
                  `${host}: setup.cmd cannot be given the ${unsafe}, which a batch file would misread. Run it by hand as the procedure says, then start the upgrade.`,
                ),
              ),
      ),
    ]),
  },
  {
    name: 'gatewayVersions',
    source: 'Upgrade Procedure, Important: the current version has to be one that the release can follow',
    examine: ofOperations(({ instances }, readings) => {
      const { meant } = readings;
      if (!meant) return [];
      return gatewaysIn(instances, readings).flatMap(({ host, site, application, seen: { versions, noVersion } }) => {
        const where = `${host}, site "${site}", application ${application}`;
        const strange = versions.filter((version) => !isBefore(version, meant) && !isOfRelease(version, meant.to));
        if (strange.length > 0)
          return [
            refusal(
              `${where}: files of version ${strange.join(', ')}, neither ${meant.from} nor ${meant.to}. Look at the site and put it right.`,
            ),
          ];
        if (noVersion !== undefined)
          return [
            refusal(
              `${where} ${noVersion}: of which version it is cannot be told, so it can be neither backed up nor verified. Put its files right, or correct the end-point URI.`,
            ),
          ];
        const sorts = new Set(versions.map((version) => isOfRelease(version, meant.to)));
        return sorts.size > 1
          ? [
              warning(
                `${where}: files of both ${meant.from} and ${meant.to}, which cannot be backed up. Put files of one version there, or the upgrade holds before it touches the site.`,
              ),
            ]
          : [];
      });
    }),
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

/** Versions of the platform, and of whatever else the release needs. */
export const requiredVersions = (requirements: readonly Requirement[]): Check => ({
  name: 'requiredVersions',
  source: 'Dependencies and Pre-Requisites',
  examine: ofOperations((facts) =>
    requirements.map((requirement) => ({
      source: requirement.source,
      ...required(requirement, requirement.read(facts)),
    })),
  ),
});

function required({ component, versions, where }: Requirement, version: string | undefined): Finding {
  const needs = `The release needs ${component} ${versions.description}`;
  const fit = version === undefined ? 'undecided' : versions.judge(version);
  switch (fit) {
    case 'fits':
      return pass(`${component} ${version ?? ''} is supported.`);
    case 'fitsNot':
      return refusal(`${needs}, and it is ${version ?? 'unknown'}. Upgrade ${component} first.`);
    case 'undecided':
      return {
        verdict: 'ask',
        item: component.toLowerCase().replace(/[^a-z0-9]+/g, '-'),
        message: `${component} is ${versions.description}`,
        instructions: `${needs}${version === undefined ? '' : `; the systems say ${version}, which does not tell`}. ${where} If it is older, abort and upgrade ${component} first.`,
      };
  }
}

function examinePackage({ profile, meant, package: file }: Readings): Finding[] {
  const version = meant?.to;
  if (version === undefined) return [];
  const expected = profile.packages[version];
  if (!expected)
    return [
      refusal(
        `The inventory has no package of ${version} for this provider: add it, with URL and SHA-256, to its "packages".`,
      ),
    ];
  if (!file || !answered(file)) return [];
  return file.value.sha256 === expected.sha256
    ? [pass(`The package is the expected one (${file.value.bytes} bytes).`)]
    : [
        refusal(
          `The package of ${version} has SHA-256 ${file.value.sha256}; the inventory expects ${expected.sha256}. Fetch it again or correct the inventory.`,
        ),
      ];
}

/** A rollback takes as much again: what was there is put aside. */
function examineSpace(host: string, free: number, gateways: readonly Gateway[], file: number): Finding[] {
  const backup = gateways.reduce((sum, { seen: { bytes = 0 } }) => sum + bytes, 0);
  const needed = 2 * backup + file;
  const said = `${inMebibytes(free)} are free on the drive of its work directory; backup, rollback and package take ${inMebibytes(needed)}`;
  return free < needed
    ? [refusal(`${host}: ${said}. Make room, or give another workDirectory in endpoint.yaml.`)]
    : [pass(`${host}: ${said}.`)];
}

const inMebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

function misnamed(instances: readonly ApplicationInstance[]): Finding[] {
  const wrong = instances.filter(({ endpointUrl }) => !parseEndpointUrl(endpointUrl));
  if (wrong.length === 0) return [];
  const named = listed(wrong.map(({ name, endpointUrl }) => `"${name}" has "${endpointUrl}"`));
  return [
    refusal(
      `End-point URIs have to read https://<hostname>/<application>/aps/, but ${named}. Correct the instances' settings.`,
    ),
  ];
}

interface Gateway {
  readonly host: string;
  readonly site: string;
  readonly application: string;
  readonly hostnames: readonly string[];
  readonly seen: IisApplication;
  /** There is nothing to set up any more. */
  readonly isNew: boolean;
}

/** Where IIS serves an application of that name: more than the one that an instance uses, where hosts have several. */
function gatewaysIn(instances: readonly ApplicationInstance[], { hosts, meant }: Readings): Gateway[] {
  const addresses = instances.flatMap(({ endpointUrl }) => parseEndpointUrl(endpointUrl) ?? []);
  return hosts.filter(answered).flatMap(({ value: { host, sites } }) =>
    sites.flatMap(({ name: site, applications }) =>
      applications.flatMap((seen) => {
        const { name: application, versions } = seen;
        const served = addresses.filter((each) => each.application.toLowerCase() === application.toLowerCase());
        if (served.length === 0) return [];
        const hostnames = [...new Set(served.map(({ hostname }) => hostname))];
        const isNew = versions.length > 0 && versions.every((version) => isOfRelease(version, meant?.to ?? ''));
        return [{ host, site, application, hostnames, seen, isNew }];
      }),
    ),
  );
}
