/**
 * What replaying finds in a change of a path, what it cannot find, and how a change reaches running upgrades all the same.
 * The change: in the 18.3 path the parameter is removed before the consents are asked for.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onwardVersion } from '../../src/cli/kit/version';
import '../kit/quiet-runtime';
import type { WorkflowBuild } from '../../src/worker/workflow-bundle';
import type { Catalogue } from '../../workflows/engine/catalogue';
import { plannedPath } from '../../workflows/engine/planned-steps';
import { CATALOGUE } from '../../workflows/releases';
import { buildOf } from './build';
import { problemsOfReplay, recordedHistories } from './recorded-histories';
import { SWAPPED } from './swapped-steps';

let folder: string;
let swapped: WorkflowBuild;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-builds-'));
  swapped = await buildOf('swapped', folder);
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const stateOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Those of the 18.3 path in these states, under their names without the folder. */
async function problems(build: WorkflowBuild, states: string[]): Promise<Record<string, string | undefined>> {
  const histories = (await recordedHistories()).filter(
    ({ name }) => name.startsWith(`${onwardVersion()}/18.3/`) && states.includes(stateOf(name)),
  );
  expect(histories.map(({ name }) => stateOf(name)).sort()).toEqual([...states].sort());
  const found = await problemsOfReplay(histories, { workflows: build });
  return Object.fromEntries([...found].map(([name, problem]) => [stateOf(name), problem]));
}

function pathOf(catalogue: Catalogue) {
  const { chosen } = catalogue.choose(['18.3']);
  return chosen ? plannedPath(chosen.path, chosen.release) : [];
}

const BEFORE_THE_CHANGE = ['gate-approveCrossing', 'during-upgradeInstances', 'rolled-back'];
const IN_IT = ['gate-acquireRefreshTokens-connection', 'gate-removeEmailParameter-parameter'];
const AFTER_IT = ['gate-removeEmailParameter-store', 'during-startProvisioning', 'completed', 'completed-by-hand'];

test('another order of steps fails the replay of every upgrade that came so far, and says of which', async () => {
  const found = await problems(swapped, [...BEFORE_THE_CHANGE, ...IN_IT, ...AFTER_IT]);
  for (const state of BEFORE_THE_CHANGE) expect(found).toHaveProperty(state, undefined);
  for (const state of [...IN_IT, ...AFTER_IT])
    expect(found).toHaveProperty(state, expect.stringMatching(/^\[TMPRL1100\] Nondeterminism error: /));
});

test('the same change passes where only upgrades that begin with it see it', async () => {
  const states = [...BEFORE_THE_CHANGE, ...IN_IT, ...AFTER_IT];
  expect(await problems(await buildOf('patched', folder), states)).toEqual(
    Object.fromEntries(states.map((state) => [state, undefined])),
  );
});

// Do not take a replay that passes for a proof: it compares the kinds and types of commands, not what they say.
test('a change of what a step says is not found by replaying', async () => {
  const state = 'gate-approveCrossing';
  const { procedure } = pathOf(SWAPPED).find(({ name }) => name === 'approveCrossing') ?? {};
  expect(procedure).not.toBe(pathOf(CATALOGUE).find(({ name }) => name === 'approveCrossing')?.procedure);
  expect(await problems(swapped, [state])).toEqual({ [state]: undefined });
});
