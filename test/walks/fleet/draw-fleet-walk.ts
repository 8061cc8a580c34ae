/** Draws a walk of a fleet from its seed. */
import { drawFault } from '../draw-fault';
import { TIMINGS } from '../draw-world';
import { Random } from '../random';
import { STARTER } from '../walk';
import {
  OWN_HOST,
  SHARED_HOST,
  type FleetAct,
  type FleetWalk,
  type FleetWalkWorld,
  type WalkProvider,
} from './fleet-walk';

const MOST_MEMBERS = 4;
const MOST_EVENTS = 8;
/** Each member has one, so that nothing is left to choose. */
const HOST = 'its own';
/** About as many calls as a small upgrade makes. */
const CALLS_OF_ONE = 60;

export function drawFleetWalk(seed: number): FleetWalk {
  const random = new Random(`fleet walk ${seed}`);
  const world = drawWorld(random);
  const members = world.members.length;
  const events = Array.from({ length: random.int(0, MOST_EVENTS) }, () => ({
    afterCalls: random.int(0, CALLS_OF_ONE * members),
    act: drawAct(random, members),
  }));
  if (world.outsider) events.push({ afterCalls: random.int(0, CALLS_OF_ONE), act: { kind: 'startOutsider' } });
  return { seed, world, events: events.sort((one, other) => one.afterCalls - other.afterCalls) };
}

function drawWorld(random: Random): FleetWalkWorld {
  const members = Array.from({ length: random.pick([1, 1, 2, 2, 2, 3, MOST_MEMBERS]) }, () => drawProvider(random));
  return {
    members,
    ...(random.percent(20) && { outsider: drawProvider(random, SHARED_HOST) }),
    fleet: {
      waves: random.pick([['rest'], [1, 'rest'], ['50%', 'rest'], [1, 1, 'rest']]),
      maxParallel: random.int(1, 3),
      budget: { wave: random.int(1, 2), run: random.int(1, 3) },
      parkAfter: random.pick([0.5, 1, 2, 60]),
      ...(random.percent(15) && { approval: { plan: random.percent(50), waves: random.percent(50) } }),
      ...(random.percent(40) && { historyLimit: random.pick([30, 60]) }),
    },
    operator: {
      delayMs: random.pick([0, 0, 300, 1_500]),
      decisions: Array.from({ length: 4 }, () => random.pick(['retry', 'retry', 'doneByHand', 'rollback'] as const)),
    },
  };
}

function drawProvider(random: Random, host = random.percent(40) ? SHARED_HOST : OWN_HOST): WalkProvider {
  return {
    provider: {
      sourceVersion: random.pick(['18.3', '18.3', '18.4', '18.4', '18.4', '18.4.1', '18.4.1', '18.5']),
      instances: random.pick([1, 1, 1, 1, 2]),
      gateways: [{ host, binding: random.pick(['own', 'any'] as const), localDb: random.percent(70) }],
      stores: random.percent(30) ? [{ id: 'main', name: 'Main store', active: true, sellsOffice365: true }] : [],
      openTasks: random.int(0, 1),
      inactiveTemplates: random.int(0, 1),
      otherTemplates: 0,
    },
    settings: {
      timings: TIMINGS,
      approval: { beforeCrossing: random.percent(25) },
      onFailureBeforeCrossing: random.pick(['rollback', 'hold']),
      ...(random.percent(10) && { taskMonitor: { adapter: 'gate' } }),
    },
  };
}

function drawAct(random: Random, members: number): FleetAct {
  const member = random.int(0, members - 1);
  const kinds = ['fault', 'fault', 'fault', 'fleet', 'fleet', 'fleet', 'member', 'nonsense', 'worker'] as const;
  switch (random.percent(4) ? 'end' : random.pick(kinds)) {
    case 'fault':
      return { kind: 'fault', member, rule: drawFault(random, [HOST]) };
    case 'fleet':
      return drawMessage(random);
    case 'member':
      return { kind: 'sayTo', member, ...drawMemberMessage(random) };
    case 'nonsense':
      return { kind: 'say', ...drawNonsense(random) };
    case 'worker':
      return random.percent(50) ? { kind: 'replaceWorker' } : { kind: 'replaceWorker', member };
    case 'end':
      return random.pick<FleetAct>([
        { kind: 'say', name: 'abort', payload: { reason: 'The wrong night.' } },
        { kind: 'say', name: 'abort', payload: { reason: 'The wrong night.' } },
        { kind: 'cancel' },
      ]);
  }
}

type Said = Pick<Extract<FleetAct, { kind: 'say' }>, 'name' | 'payload'>;

function drawMessage(random: Random): FleetAct {
  const reason = 'It is time.';
  const budget = { wave: random.int(1, 3), run: random.int(1, 4) };
  const said = random.pick<Said>([
    { name: 'pause', payload: { reason } },
    { name: 'pause', payload: { reason } },
    { name: 'resume', payload: { reason } },
    { name: 'resume', payload: { reason } },
    { name: 'setMaxParallel', payload: { reason, maxParallel: random.int(1, 4) } },
    { name: 'setMaxParallel', payload: { reason, maxParallel: random.int(1, 4) } },
    { name: 'decideBudget', payload: { reason, action: 'continue', ...budget } },
    { name: 'decideBudget', payload: { reason, action: random.pick(['continue', 'skipRest', 'stop']), ...budget } },
    { name: 'proceed', payload: { reason } },
  ]);
  return { kind: 'say', ...said };
}

function drawMemberMessage(random: Random): Pick<Extract<FleetAct, { kind: 'sayTo' }>, 'name' | 'payload'> {
  const by = random.pick([STARTER, 'bo']);
  const reason = 'It is time.';
  const action = random.pick(['retry', 'rollback', 'doneByHand']);
  const step = random.pick([
    'upgradeEndpoints',
    'importPackage',
    'upgradeInstances',
    'stopProvisioning',
    'installRuntime',
  ]);
  return random.pick<ReturnType<typeof drawMemberMessage>>([
    { name: 'pause', payload: { by, reason } },
    { name: 'resume', payload: { by, reason } },
    { name: 'approveCrossing', payload: { by, reason } },
    { name: 'resolveHold', payload: { step, action, by, reason } },
    { name: 'abort', payload: { by, reason } },
  ]);
}

/** Nobody has asked for any of this. */
function drawNonsense(random: Random): Said {
  return random.pick<Said>([
    { name: 'setMaxParallel', payload: { reason: 'None.', maxParallel: 0 } },
    { name: 'setMaxParallel', payload: { reason: 'None.', maxParallel: '2' } },
    { name: 'decideBudget', payload: { reason: 'None.', action: 'continue' } },
    { name: 'decideBudget', payload: { reason: 'None.', action: 'continue', wave: '-1%' } },
    { name: 'pause', payload: { reason: 7 } },
    { name: 'pause', payload: { reason: 'x'.repeat(50_000), surplus: true } },
    { name: 'proceed', payload: { wave: 1 } },
  ]);
}
