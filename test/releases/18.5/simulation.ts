import type { SimulatedRelease } from '../../../src/contract/simulation';
import { version1841 } from '../../../workflows/releases/18.4.1/simulation';

/** What the sandbox needs to simulate 18.5. */
export const simulation: SimulatedRelease = {
  version: '18.5',
  sources: [version1841],
  target: {
    version: '18.5',
    packageVersion: '18.5-2',
    assemblyVersion: '18.5.0.2',
    signIn: 'refreshToken',
    emailParameter: false,
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
};
