/** Checks that every upgrade has to pass, whatever the release. */
import { isNewer, withoutRelease } from '../../src/contract/versions';
import { answered, type Reading } from '../kit/reading';
import { ofOperations, pass, refusal, warning, type Check, type Finding, type Readings } from './check';
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
              `Not Ready: ${busy.map(({ name, status }) => `"${name}" is ${status}`).join(', ')}. Finish or repair them first.`,
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
          `The package at ${expected.url} has SHA-256 ${file.value.sha256}; the inventory expects ${expected.sha256}. Fetch it again or correct the inventory.`,
        ),
      ];
}
