/** Draws the provider of a walk, its settings, and the habits of its operator. */
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import type { Settings } from '../kit/rehearsal/rehearsal';
import type { Random } from './random';
import { HOST_NAMES, type WalkWorld } from './walk';
import { timings } from '../kit/deadlines';

/** Short enough that a walk sees the end of patience. */
export const TIMINGS = timings({
  retryFor: 6,
  heartbeat: 4,
  hostAnswer: 30,
  drain: 20,
  import: 10,
  instanceUpgrade: 12,
  script: 10,
  hostRestart: 12,
});
/** In days: a gate that stays open is brought back to mind after a second or two. */
const QUICK_REMINDERS = { days: [0.00001, 0.00002], thenEveryDays: 0.00004 };

export function drawWorld(random: Random): WalkWorld {
  const sourceVersion = random.pick(['18.3', '18.4', '18.4.1'] as const);
  const world = {
    provider: { ...drawProvider(random, sourceVersion), ...(random.percent(12) && drawFlaw(random)) },
    settings: drawSettings(random),
    operator: {
      delayMs: random.pick([0, 0, 300, 1000]),
      decisions: Array.from({ length: 4 }, () => random.pick(['retry', 'retry', 'doneByHand', 'rollback'] as const)),
    },
    startsAgain: random.percent(50),
  };
  const declines = sourceVersion === '18.4.1' && random.percent(50);
  return { ...world, operator: { ...world.operator, declines } };
}

function drawProvider(random: Random, sourceVersion: '18.3' | '18.4' | '18.4.1'): Omit<ProviderOptions, 'id'> {
  const instances = random.pick([1, 1, 2, 3, 4]);
  // A site that serves no instance is none that an upgrade can know of.
  const gateways = Math.min(instances, random.pick([1, 1, 2, 3]));
  const stores = Array.from({ length: random.int(0, 2) }, (_, index) => ({
    id: `store-${index + 1}`,
    name: `Store ${index + 1}`,
    active: random.percent(80),
    sellsOffice365: random.percent(80),
  }));
  return {
    sourceVersion,
    instances: Array.from({ length: instances }, (_, index) => ({
      name: `CSP ${index + 1}`,
      gateway: index % gateways,
    })),
    gateways: Array.from({ length: gateways }, () => ({
      host: random.pick(HOST_NAMES),
      binding: random.pick(['own', 'any'] as const),
      localDb: random.percent(70),
      connectionString: random.pick(['plain', 'plain', 'plain', 'encrypted', 'missing'] as const),
    })),
    inactiveTemplates: random.int(0, 2),
    otherTemplates: random.int(0, 1),
    stores,
    openTasks: random.int(0, 4),
    failedTask: random.percent(10),
    lateTasks: random.int(0, 2),
    ...(random.percent(30) && { operationsLogin: { user: 'onward', password: 'Ops-secret-4711' } }),
    ...(random.percent(30) && { billingLogin: { user: 'onward', password: 'Bill-secret-4711' } }),
    // Where the next release asks for one step more.
    ...(sourceVersion === '18.4.1' && random.percent(30) && { build: 'oa-7.4-2210' }),
  };
}

/** What an upgrade has to refuse, or to ask about. */
function drawFlaw(random: Random): Partial<ProviderOptions> {
  return random.pick<Partial<ProviderOptions>>([
    { sourceVersion: '18.2' },
    { templateFlaws: ['azureCsp'] },
    // 18.4.1 supports none of them: who is on it has none.
    { sourceVersion: '18.3', instances: [{ name: 'Berlin', cloud: 'germany' }], gateways: [{ host: 'a' }] },
    { instances: [{ name: 'Nowhere', cloud: 'unstated' }], gateways: [{ host: 'a' }] },
    { instances: 1, gateways: [{ host: 'a', installedAs: 'As it was called', site: 'As it is called' }] },
    { build: 'oa-7.1-2000' },
  ]);
}

function drawSettings(random: Random): Settings {
  return {
    timings: TIMINGS,
    approval: { beforeCrossing: random.percent(40) },
    onFailureBeforeCrossing: random.pick(['rollback', 'hold']),
    ...(random.percent(25) && { taskMonitor: { adapter: 'gate' } }),
    ...(random.percent(25) && { connectionTest: { adapter: 'gate' } }),
    ...(random.percent(20) && { installedSites: [] }),
    ...(random.percent(50) && { reminders: QUICK_REMINDERS }),
  };
}
