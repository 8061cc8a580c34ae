import type { Command } from 'commander';
import type { CliContext } from '../cli-context';
import { addFleetAnswers } from './fleet-answers';
import { addFleetReport } from './fleet-report';
import { addFleetStart } from './fleet-start';
import { addFleetStatus } from './fleet-status';

export function addFleet(program: Command, context: CliContext): void {
  const fleet = program
    .command('fleet')
    .description('upgrade many providers in waves, within maintenance windows and a failure budget');
  addFleetStart(fleet, context);
  addFleetStatus(fleet, context);
  addFleetAnswers(fleet, context);
  addFleetReport(fleet, context);
}
