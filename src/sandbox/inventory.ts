/** Inventory entries that point Onward at the providers of a sandbox. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { providerProfile } from '../contract/provider';
import type { PackageFile } from './package-file';
import type { SandboxUrls } from './urls';
import type { Login, Provider } from './world/state';

/** An entry as it is written, before defaults are filled in. */
export type ProviderProfileInput = z.input<typeof providerProfile>;

export interface InventoryOptions {
  urls: SandboxUrls;
  caFile: string;
  /** Of every release. */
  packages: readonly PackageFile[];
  /** Folder for the passwords that entries refer to. */
  secretsDirectory: string;
  /** Settings that a test or a demonstration wants otherwise; they replace those of the entry. */
  overrides?: Partial<ProviderProfileInput>;
}

/** One file per provider, `<provider>.yaml`; returns their paths. Files that are there already are written anew. */
export function writeInventory(directory: string, providers: Provider[], options: InventoryOptions): string[] {
  mkdirSync(directory, { recursive: true });
  return providers.map((provider) => {
    const file = path.join(directory, `${provider.id}.yaml`);
    writeFileSync(file, stringify(inventoryEntry(provider, options), { aliasDuplicateObjects: false }));
    return file;
  });
}

export function inventoryEntry(provider: Provider, options: InventoryOptions): ProviderProfileInput {
  const { urls, caFile, packages } = options;
  const control = { adapter: 'sandbox', url: urls.control(provider.id) } as const;
  return {
    provider: provider.id,
    name: provider.name,
    operations: { url: urls.operations(provider.id), ...login('operations', provider.operationsLogin) },
    aps: { url: urls.aps(provider.id), caFile },
    billing: { url: urls.billing(provider.id), ...login('billing', provider.billingLogin) },
    plans: provider.plans.filter((plan) => plan.sellsOffice365).map((plan) => plan.planId),
    stores: provider.stores
      .filter((store) => store.active && store.sellsOffice365)
      .map(({ id, name }) => ({ id, name })),
    endpointHosts: [...new Set(provider.gateways.map((gateway) => gateway.host))].map((name) => ({ name })),
    installedSites: provider.gateways.map(({ hostname, installedAs }) => ({ hostname, site: installedAs })),
    // The simulated management node has names that no DNS knows.
    gatewayAddresses: Object.fromEntries(provider.gateways.map(({ hostname, ip }) => [hostname, ip])),
    packages: Object.fromEntries(
      packages.map(({ version, sha256 }) => [version, { url: urls.package(version), sha256 }]),
    ),
    taskMonitor: control,
    connectionTest: control,
    ...options.overrides,
  };

  function login(system: string, given: Login | undefined): { user?: string; password?: string } {
    if (!given) return {};
    mkdirSync(options.secretsDirectory, { recursive: true, mode: 0o700 });
    const file = path.join(options.secretsDirectory, `${provider.id}-${system}`);
    writeFileSync(file, given.password, { mode: 0o600 });
    return { user: given.user, password: `file:${file}` };
  }
}
