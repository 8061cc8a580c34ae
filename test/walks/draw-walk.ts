/** Draws a walk from its seed. */
import { drawFault } from './draw-fault';
import { drawWorld } from './draw-world';
import { Random } from './random';
import { HOST_NAMES, STARTER, type Act, type Walk } from './walk';

const MOST_EVENTS = 12;
/** About as many calls as a small upgrade makes. */
const LAST_CALL = 80;

/** @param buttons whether somebody may press Temporal's buttons, start a second entry, or serve a host's queue on a clone of it. */
export function drawWalk(seed: number, buttons = false): Walk {
  const random = new Random(`walk ${seed}`);
  const world = drawWorld(random);
  const events = Array.from({ length: random.int(0, MOST_EVENTS) }, () => ({
    afterCalls: random.int(0, LAST_CALL),
    act: drawAct(random, buttons),
  }));
  return { seed, world, events: events.sort((one, other) => one.afterCalls - other.afterCalls) };
}

function drawAct(random: Random, buttons: boolean): Act {
  switch (
    random.pick([
      'fault',
      'fault',
      'fault',
      'fault',
      'answer',
      'decision',
      'nonsense',
      'worker',
      'life',
      'growth',
    ] as const)
  ) {
    case 'fault':
      return { kind: 'fault', rule: drawFault(random) };
    case 'answer':
      return {
        kind: 'answer',
        gate: random.int(0, 7),
        worked: random.percent(50),
        twice: random.percent(40),
      };
    case 'decision':
      return drawDecision(random);
    case 'nonsense':
      return drawNonsense(random);
    case 'worker': {
      if (random.percent(50)) return { kind: 'replaceWorker' };
      return { kind: buttons && random.percent(30) ? 'clone' : 'replaceWorker', host: random.pick(HOST_NAMES) };
    }
    case 'growth':
      return {
        kind: 'grow',
        what: random.pick(['instance', 'task', 'template', 'offer'] as const),
        nth: random.int(0, 7),
      };
    case 'life':
      return random.pick<Act>([
        { kind: 'start' },
        { kind: 'start' },
        { kind: 'cancel' },
        ...(buttons
          ? [
              { kind: 'terminate' as const },
              { kind: 'reset' as const, nth: random.int(0, 60) },
              { kind: 'secondEntry' as const },
            ]
          : []),
        { kind: 'say', name: 'abort', payload: { by: 'bo', reason: 'The wrong night.' } },
      ]);
  }
}

function drawDecision(random: Random): Act {
  const by = random.pick([STARTER, 'bo']);
  const reason = 'It is time.';
  const action = random.pick(['retry', 'rollback', 'doneByHand']);
  const step = random.pick([
    'installRuntime',
    'upgradeEndpoints',
    'importPackage',
    'upgradeInstances',
    'validate',
    'startProvisioning',
  ]);
  const choice = random.pick(['run', 'decline']);
  return {
    kind: 'say',
    ...random.pick<Pick<Extract<Act, { kind: 'say' }>, 'name' | 'payload'>>([
      { name: 'pause', payload: { by, reason } },
      { name: 'pause', payload: { by, reason } },
      { name: 'resume', payload: { by, reason } },
      { name: 'approveCrossing', payload: { by, reason } },
      { name: 'resolveHold', payload: { step, action, by, reason } },
      { name: 'decideStep', payload: { step: 'announceNewPlans', action: choice, by, reason } },
    ]),
  };
}

/** Nobody has asked for any of this. */
function drawNonsense(random: Random): Act {
  const name = random.pick([
    'consentCompleted',
    'confirmStep',
    'resolveHold',
    'decideStep',
    'approveCrossing',
    'pause',
    'resume',
    'abort',
  ] as const);
  const payload = random.pick<unknown>([
    null,
    'yes',
    42,
    [],
    {},
    { by: '' },
    { by: 'bo', reason: 7 },
    { by: 'bo', instance: 'of another provider' },
    { by: 'bo', step: 'importPackage', item: 'nothing', evidence: 'I say so.' },
    { by: 'bo', step: 'no step', action: 'skip', reason: 'I may.' },
    { by: '\u202Eob 🙂', reason: 'x', extra: { deep: [1, 2, 3] } },
    JSON.parse('{"__proto__":{"by":"bo"},"constructor":"bo","reason":"x"}'),
    { by: 'x'.repeat(5_000), reason: 'y'.repeat(50_000), surplus: true },
  ]);
  return { kind: 'say', name, payload };
}
