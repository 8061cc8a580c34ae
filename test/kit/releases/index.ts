/** A release that brings scripts for endpoint hosts, and what they do to hosts without PowerShell. */
import path from 'node:path';
import type { ReleaseTwins } from '../../../src/sandbox/hosts-port';
import type { ReleaseFolder } from '../../../src/systems/endpoint/release-scripts';

export const RELEASES: ReleaseFolder[] = [{ version: '18.5', folder: path.join(__dirname, '18.5') }];

export const TWINS: ReleaseTwins = {
  '18.5/install-runtime': async (host, { feature, refuses }) => {
    const name = String(feature);
    if (host.featureState(name) === 'Installed') {
      return { done: true, restartNeeded: false, note: `${name} is installed.` };
    }
    if (refuses === true) host.fail('UnexpectedState', `${name} cannot be installed on this host`);
    const { restartNeeded } = await host.installFeature(name);
    host.setRegistryValue('HKLM:\\SOFTWARE\\Onward\\Test', name, 'asked for');
    return { done: false, restartNeeded, note: `${name} is installed and needs a restart.` };
  },
};
