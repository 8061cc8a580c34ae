import type { UpgradeStatus } from '../../src/contract/status';

/** What a test says of an upgrade that ended while it waited for something else: with what it was refused for. */
export function endedInstead({ state, checks }: UpgradeStatus): string {
  const failed = checks.filter(({ verdict }) => verdict !== 'pass').map(({ name, message }) => `${name}: ${message}`);
  return [`The upgrade ended as ${state} instead.`, ...failed].join('\n');
}
