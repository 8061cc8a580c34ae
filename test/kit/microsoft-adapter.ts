import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProviderProfileInput } from '../../src/sandbox/inventory';
import type { Sandbox } from '../../src/sandbox/server';
import { CPV_APPLICATION } from '../../src/sandbox/servers/microsoft';
import { issueForeignToken } from '../../src/sandbox/world/manual-acts';
import type { Provider } from '../../src/sandbox/world/state';

/** Settings of the adapter `microsoft`, with tokens of the inventory's own: what the application has is tested by whoever answers the gates. */
export function testAtMicrosoft(
  { urls, dataDirectory, world }: Sandbox,
  provider: Provider,
): ProviderProfileInput['connectionTest'] {
  const folder = path.join(dataDirectory, `${provider.id}-at-microsoft`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kept = (name: string, value: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, value, { mode: 0o600 });
    return `file:${file}`;
  };
  return {
    adapter: 'microsoft',
    loginUrl: urls.login,
    partnerCenterUrl: urls.partnerCenter,
    graphUrl: urls.graph,
    clientId: CPV_APPLICATION.clientId,
    clientSecret: kept('client-secret', CPV_APPLICATION.clientSecret),
    accounts: Object.fromEntries(
      provider.instances.map((instance) => [
        instance.name,
        {
          tenant: instance.tenant,
          refreshToken: kept(`token-${instance.instanceId}`, issueForeignToken(world, provider, instance).value),
        },
      ]),
    ),
  };
}
