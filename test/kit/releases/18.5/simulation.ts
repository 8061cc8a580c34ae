import type { SimulatedRelease, SimulatedScript } from '../../../../src/contract/simulation';
import { version1841 } from '../../../../workflows/releases/18.4.1/simulation';

/** As install-runtime.ps1. */
export const installRuntime: SimulatedScript = async (host, { feature, refuses }) => {
  const name = String(feature);
  if (host.featureState(name) === 'Installed') {
    return { done: true, restartNeeded: false, note: `${name} is installed.` };
  }
  if (refuses === true) host.fail('UnexpectedState', `${name} cannot be installed on this host`);
  const { restartNeeded } = await host.installFeature(name);
  host.setRegistryValue('HKLM:\\SOFTWARE\\Onward\\Test', name, 'asked for');
  return {
    done: !restartNeeded,
    restartNeeded,
    note: `${name} is installed${restartNeeded ? ' and needs a restart' : ''}.`,
  };
};

/** What the sandbox needs to simulate 18.5. */
export const simulation: SimulatedRelease = {
  version: '18.5',
  sources: [version1841],
  target: {
    version: '18.5',
    packageVersion: '18.5-2',
    assemblyVersion: '18.5.0.2',
    signIn: 'refreshToken',
    parameters: [],
  },
  package: {
    fileName: 'Office_365-18.5-2.app.zip',
    packagedAt: '2019-06-03T12:00:00Z',
    upgradesFrom: '18.4.1',
    webArchive: 'O365-Web.zip',
  },
  companions: [
    {
      application: 'http://www.odin.com/office-365-usage-collector',
      name: 'Office 365 Usage Collector',
      packageVersion: '2.0-31',
    },
  ],
  scripts: { 'install-runtime': installRuntime },
};
