import { FAILURE } from '../contract/activities';
import type { ApplicationInstance, ConnectionTestResult } from '../contract/facts';
import { microsoftAccess } from '../contract/provider';
import { defineAdapter } from './adapter';
import { testMicrosoftConnection } from './microsoft';
import { SystemError } from './system-error';

export type TestedInstance = Pick<ApplicationInstance, 'id' | 'name' | 'resourceId'>;

/** What the *Test Connection* button says. The operation behind it is not documented (systems.md 5.6). */
export interface ConnectionTest {
  run(instance: TestedInstance): Promise<ConnectionTestResult>;
}

/** Makes the calls that the button makes, with the refresh token of the instance's account (systems.md 5.2, 5.3). */
export const microsoft = defineAdapter({
  settings: microsoftAccess,
  create: ({ accounts, clientSecret, ...application }, { resolveSecret }): ConnectionTest => ({
    run: async (instance) => {
      const { tenant, refreshToken } = accountOf(accounts, instance);
      return testMicrosoftConnection(
        { ...application, clientSecret: await resolveSecret(clientSecret) },
        { tenant, refreshToken: await resolveSecret(refreshToken) },
      );
    },
  }),
});

function accountOf<Account>(accounts: Record<string, Account>, { id, name }: TestedInstance): Account {
  const account = Object.entries(accounts).find(([key]) => key === name || key === String(id));
  if (account) return account[1];
  throw new SystemError({
    type: FAILURE.accessDenied,
    system: 'connection test',
    call: 'the test',
    object: `instance ${name}`,
    problem: 'has no account in the inventory',
    next: `Add the entry '${name}' to connectionTest.accounts of this provider.`,
  });
}
