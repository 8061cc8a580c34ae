import type { Command } from 'commander';
import { addMessageCommands } from '../kit/messages/message-commands';
import type { FleetContext } from './fleets';
import { FLEET_MESSAGES } from './messages';
import { addFleetReport } from './report-command';
import { addFleetStart } from './start-command';
import { addFleetStatus } from './status-command';

export function addFleet(program: Command, context: FleetContext): void {
  const fleet = program
    .command('fleet')
    .description('upgrade many providers in waves, within maintenance windows and a failure budget');
  addFleetStart(fleet, context);
  addFleetStatus(fleet, context);
  addMessageCommands(fleet, context, FLEET_MESSAGES, (options) => context.connectFleets(options));
  addFleetReport(fleet, context);
}
