/** Where the systems of a running sandbox are: one port per system, the provider as the first part of the path. */
import { packageFile, type PackageFile } from './package-file';

export interface SandboxPorts {
  operations: number;
  aps: number;
  billing: number;
  microsoft: number;
  control: number;
}
export type SandboxSystem = keyof SandboxPorts;

/** The vendors' ports, as far as they have one. */
export const DEFAULT_PORTS: SandboxPorts = {
  operations: 8440,
  aps: 6308,
  billing: 5224,
  microsoft: 7443,
  control: 7080,
};

export interface SandboxUrls {
  operations(provider: string): string;
  aps(provider: string): string;
  billing(provider: string): string;
  /** `.../_sim/providers/<provider>/` */
  control(provider: string): string;
  /** `.../_sim/` */
  sim: string;
  login: string;
  partnerCenter: string;
  graph: string;
  /** The package file of a release, by its version. */
  package(version: string): string;
}

export function sandboxUrls(host: string, ports: SandboxPorts, packages: readonly PackageFile[]): SandboxUrls {
  const at = (system: SandboxSystem, path: string) =>
    `${system === 'aps' ? 'https' : 'http'}://${host}:${ports[system]}/${path}`;
  return {
    operations: (provider) => at('operations', `${provider}/RPC2`),
    aps: (provider) => at('aps', `${provider}/`),
    billing: (provider) => at('billing', `${provider}/RPC2`),
    control: (provider) => at('control', `_sim/providers/${provider}/`),
    sim: at('control', '_sim/'),
    login: at('microsoft', 'login'),
    partnerCenter: at('microsoft', 'partnercenter'),
    graph: at('microsoft', 'graph'),
    package: (version) => at('control', `packages/${packageFile(packages, version).fileName}`),
  };
}
