import { FAILURE, type MicrosoftActivities } from '../src/contract/activities';
import type { ConnectionTestSetting } from '../src/contract/provider';
import { HumanOrSimConnectionTest } from '../src/systems/connection-test';
import { testMicrosoftConnection } from '../src/systems/microsoft';
import { SystemError } from '../src/systems/system-error';
import type { ResolveSecret } from '../src/systems/xmlrpc-endpoint';
import { heartbeating } from './polling';

type Instance = Parameters<MicrosoftActivities['testConnection']>[0]['instance'];

export function createMicrosoftActivities({ resolveSecret }: { resolveSecret: ResolveSecret }): MicrosoftActivities {
  return {
    testConnection: ({ setting, instance }) =>
      heartbeating(async () => {
        switch (setting.adapter) {
          case 'sandbox':
            return new HumanOrSimConnectionTest(setting.url).run(instance.resourceId);
          case 'microsoft': {
            const account = accountOf(setting, instance);
            const { loginUrl, partnerCenterUrl, graphUrl, clientId, caFile } = setting;
            const clientSecret = await resolveSecret(setting.clientSecret);
            const refreshToken = await resolveSecret(account.refreshToken);
            return testMicrosoftConnection(
              { loginUrl, partnerCenterUrl, graphUrl, clientId, clientSecret, caFile },
              { tenant: account.tenant, refreshToken },
            );
          }
          case 'gate':
            throw cannotTest(FAILURE.invalidInput, instance, 'is not possible for a program with the adapter gate', {
              next: 'A person has to press Test Connection.',
            });
        }
      }),
  };
}

function accountOf(setting: Extract<ConnectionTestSetting, { adapter: 'microsoft' }>, instance: Instance) {
  const account = Object.entries(setting.accounts).find(
    ([key]) => key === instance.name || key === String(instance.id),
  );
  if (account) return account[1];
  throw cannotTest(FAILURE.accessDenied, instance, 'has no account in the inventory', {
    next: `Add the entry '${instance.name}' to connectionTest.accounts of this provider.`,
  });
}

function cannotTest(
  type: 'InvalidInput' | 'AccessDenied',
  { name }: Instance,
  problem: string,
  { next }: { next: string },
): SystemError {
  return new SystemError({
    type,
    system: 'connection test',
    call: 'the test',
    object: `instance ${name}`,
    problem,
    next,
  });
}
