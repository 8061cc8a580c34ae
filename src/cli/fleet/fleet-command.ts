import type { Command } from 'commander';
import type { CliContext } from '../kit/context';
import { addFleetAnswers } from './messages';
import { addFleetReport } from './report-command';
import { addFleetStart } from './start-command';
import { addFleetStatus } from './status-command';

export function addFleet(program: Command, context: CliContext): void {
  const fleet = program
    .command('fleet')
    .description('upgrade many providers in waves, within maintenance windows and a failure budget');
  addFleetStart(fleet, context);
  addFleetStatus(fleet, context);
  addFleetAnswers(fleet, context);
  addFleetReport(fleet, context);
}
