import { ONWARD } from '../../contract/onward';
import { CliError } from '../kit/cli-error';
import type { FleetView } from './fleets';
import { countsText, FLEET_WORDS, fleetEndedFromOutside, totalOf } from './provider-states';

/**
 * For commands that wait until a fleet is over: their exit code tells whether everybody was upgraded.
 *
 * @throws CliError `failure` when not.
 */
export function requireAllUpgraded({ status, execution, failure }: FleetView): void {
  const { fleet, state, counts } = status;
  if (state === 'completed' && counts.completed === totalOf(counts)) return;
  const end = fleetEndedFromOutside(execution, status) ?? `${FLEET_WORDS[state]}.`;
  throw new CliError('failure', `The fleet ${fleet} did not upgrade everybody: ${end} ${countsText(counts)}.`, {
    problems: failure === undefined ? [] : [failure],
    hint: `${ONWARD} fleet report ${fleet} tells what happened.`,
  });
}
