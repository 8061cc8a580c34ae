/** What people say to a fleet, and what becomes of it. */
import type { FleetMessages, fleetMessages } from '../../src/contract/fleet';
import type { MessageOf, Verdict } from '../kit/messages';
import { now } from '../kit/now';
import { asks } from './advance';
import { budgetOf, currentWave, type FleetProgress } from './fleet-state';

export function judge(fleet: FleetProgress, message: MessageOf<typeof fleetMessages>): Verdict {
  if (fleet.endedAt !== undefined) return { refused: 'The fleet is over.' };
  switch (message.name) {
    case 'proceed':
      return proceed(fleet, message.payload);
    case 'pause':
      return pause(fleet, message.payload);
    case 'resume':
      return resume(fleet, message.payload);
    case 'abort':
      return abort(fleet, message.payload);
    case 'setMaxParallel':
      return setMaxParallel(fleet, message.payload);
    case 'decideBudget':
      return decideBudget(fleet, message.payload);
  }
}

function proceed(fleet: FleetProgress, { by }: FleetMessages['proceed']): Verdict {
  const wave = currentWave(fleet);
  const progress = fleet.waves?.[wave - 1];
  switch (asks(fleet)) {
    case 'budget':
      return { refused: 'The fleet waits for a decision about its spent budget: send decideBudget.' };
    case undefined:
      return { refused: 'Nothing waits for a proceed now.' };
    default:
      if (!progress || progress.approved) return { refused: `Wave ${wave} has been approved already.` };
      progress.approved = true;
      return {
        accepted: fleet.paused
          ? `Wave ${wave} begins once the fleet is resumed; it is paused by ${fleet.paused.by}.`
          : `${by} lets wave ${wave} begin.`,
        subject: `wave ${wave}`,
      };
  }
}

function pause(fleet: FleetProgress, { by, reason }: FleetMessages['pause']): Verdict {
  if (fleet.paused) return { refused: `Paused already, by ${fleet.paused.by} since ${fleet.paused.since}.` };
  if (fleet.aborted) return { refused: 'The fleet is being aborted.' };
  fleet.paused = { by, reason, since: now() };
  return { accepted: 'Nobody is started; upgrades before the crossing stop before their next changing call.' };
}

function resume(fleet: FleetProgress, { by }: FleetMessages['resume']): Verdict {
  if (!fleet.paused) return { refused: 'The fleet is not paused.' };
  delete fleet.paused;
  fleet.looks += 1;
  fleet.lookIsDue = true;
  return { accepted: `${by} lets the fleet go on.` };
}

function abort(fleet: FleetProgress, { by, reason }: FleetMessages['abort']): Verdict {
  if (fleet.aborted) return { refused: `Aborted already, by ${fleet.aborted.by}.` };
  fleet.aborted = { by, reason, since: now() };
  delete fleet.paused;
  delete fleet.halted;
  return { accepted: 'Nobody else is started. Upgrades before the crossing roll back, those past it finish.' };
}

function setMaxParallel(fleet: FleetProgress, { by, maxParallel }: FleetMessages['setMaxParallel']): Verdict {
  const before = fleet.maxParallel;
  fleet.maxParallel = maxParallel;
  const slow = maxParallel < before ? ' Those that are at work keep their slots until they end.' : '';
  return { accepted: `${by} changed maxParallel from ${before} to ${maxParallel}.${slow}` };
}

function decideBudget(fleet: FleetProgress, decision: FleetMessages['decideBudget']): Verdict {
  const { by, reason, action, wave, run } = decision;
  if (!fleet.halted) return { refused: 'The budget is not spent; nothing has to be decided.' };
  const number = currentWave(fleet);
  if (action === 'stop') {
    fleet.stopped = { by, reason, since: now() };
    delete fleet.halted;
    return { accepted: 'Nobody else is started; the upgrades that have begun go on to their end.' };
  }
  const decided = { ...fleet, budget: { wave: wave ?? fleet.budget.wave, run: run ?? fleet.budget.run } };
  const ofRun = budgetOf(decided);
  const ofWave = budgetOf(decided, number);
  const problems = [
    ...(ofRun.broken >= ofRun.allowed
      ? [`${ofRun.broken} of the whole fleet are broken: a "run" of more than that is needed`]
      : []),
    ...(action === 'continue' && ofWave.broken >= ofWave.allowed
      ? [`${ofWave.broken} of wave ${number} are broken: a "wave" of more than that is needed`]
      : []),
  ];
  if (problems.length > 0) return { refused: `With this budget the fleet would halt again. ${problems.join('; ')}.` };
  fleet.budget = decided.budget;
  delete fleet.halted;
  const progress = fleet.waves?.[number - 1];
  if (action === 'skipRest' && progress) {
    progress.closed = `${by} skipped the rest of wave ${number}: ${reason}`;
    return { accepted: `Nobody else of wave ${number} is started.`, subject: `wave ${number}` };
  }
  return { accepted: `The fleet goes on: ${ofWave.allowed} of the wave and ${ofRun.allowed} of all may be broken.` };
}
