import { ONWARD } from '../../contract/onward';
import { CliError } from '../kit/cli-error';
import { endedFromOutside, STATE_WORDS } from './upgrade-state';
import type { UpgradeView } from './upgrades';

/**
 * For commands that wait until an upgrade is over: their exit code tells how it ended.
 *
 * @throws CliError `refused` after a preflight that forbids the upgrade, `failure` after every other end but completion.
 */
export function requireCompleted({ status, execution, failure }: UpgradeView): void {
  if (status.state === 'completed') return;
  const outside = endedFromOutside(execution, status);
  const problems = [
    ...(failure === undefined ? [] : [failure]),
    ...status.checks.filter(({ verdict }) => verdict === 'refusal').map(({ message }) => message),
    ...status.notUndone.map((what) => `not undone: ${what}`),
  ];
  throw new CliError(
    status.state === 'refused' ? 'refused' : 'failure',
    `The upgrade of ${status.provider} did not complete: ${outside ?? `${STATE_WORDS[status.state]}.`}`,
    { problems, hint: `${ONWARD} report ${status.provider} tells what happened.` },
  );
}
