import { FAILURE } from '../contract/activities';
import type { ApplicationInstance, ConnectionTestResult } from '../contract/facts';
import { microsoftAccess } from '../contract/provider';
import { defineAdapter } from './adapter';
import { testMicrosoftConnection } from './microsoft';
import { SystemError } from './system-error';

export type TestedInstance = Pick<ApplicationInstance, 'id' | 'name' | 'resourceId'>;

/** Tests whether Microsoft lets somebody in. The operation behind *Test Connection* is not documented (systems.md 5.6). */
export interface ConnectionTest {
  run(instance: TestedInstance): Promise<ConnectionTestResult>;
}

/** Presses the application's own *Test Connection*: its success closes a gate without a person. */
export interface ProvingConnectionTest extends ConnectionTest {
  /** It is the application's token that is tested, and no other. */
  readonly proves: true;
}

/**
 * Makes the calls that the button makes, with the inventory's refresh token of the instance's account (systems.md 5.2, 5.3): evidence,
 * and no proof, since the application has a token of its own.
 */
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
