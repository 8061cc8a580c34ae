import type { SimulatedRelease, SimulatedVersion } from '../../../src/contract/simulation';

/** Signs in to Microsoft with a stored user, and derives subdomains from e-mail addresses where Billing says so. */
const version183: SimulatedVersion = {
  version: '18.3',
  packageVersion: '18.3-9',
  assemblyVersion: '18.3.0.9',
  signIn: 'storedUser',
  parameters: ['o365_based_on_email'],
};

/** Has refresh tokens already, and the parameter is gone. */
const version184: SimulatedVersion = {
  version: '18.4',
  packageVersion: '18.4-7',
  assemblyVersion: '18.4.0.7',
  signIn: 'refreshToken',
  parameters: [],
};

/** "New Application Security Model": all stored users are erased. */
export const version1841: SimulatedVersion = {
  version: '18.4.1',
  packageVersion: '18.4.1-12',
  assemblyVersion: '18.4.1.12',
  signIn: 'refreshToken',
  parameters: [],
};

/** The package is named as systems.md 1.8 names it. */
export const simulation: SimulatedRelease = {
  version: '18.4.1',
  sources: [version183, version184],
  target: version1841,
  package: {
    fileName: 'Office_365-18.4.1-12.app.zip',
    packagedAt: '2019-01-15T12:00:00Z',
    upgradesFrom: '18.3',
    webArchive: 'O365-Web.zip',
  },
};
