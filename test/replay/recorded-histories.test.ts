/** Workflow code is a stored format: what running workflows have done so far has to come out of the code as it is now. */
import '../kit/quiet-runtime';
import { onwardVersion } from '../../src/cli/kit/version';
import { FLEET_STATES } from '../../src/contract/fleet';
import { SIMULATED_RELEASES } from '../../workflows/releases';
import { UPGRADE_STATES } from '../../src/contract/status';
import { CONSENT_STATES } from '../../src/contract/consent';
import { stateAttribute, stepAttribute } from '../../src/temporal/search-attributes';
import * as workflows from '../../workflows';
import { PREFLIGHT, plannedPath } from '../../workflows/engine/planned-steps';
import { CATALOGUE } from '../../workflows/releases';
import { samples } from '../kit/extent';
import { problemsOfReplay, recordedHistories, type RecordedHistory } from './recorded-histories';

const SOURCE_VERSIONS = SIMULATED_RELEASES[0].sources.map(({ version }) => version);

let histories: RecordedHistory[];
beforeAll(async () => {
  histories = await recordedHistories();
});

const ONE_IN = samples({ usually: 4, inFull: 1 });

test('every recorded history can be replayed', async () => {
  const problems = await problemsOfReplay(histories.filter((_, index) => index % ONE_IN === 0));
  expect([...problems].filter(([, problem]) => problem !== undefined)).toEqual([]);
});

test('of this version, every workflow is recorded', () => {
  const ofThisVersion = histories.filter(({ name }) => name.startsWith(`${onwardVersion()}/`));
  const types = new Set(ofThisVersion.map(({ workflowType }) => workflowType));
  expect(Object.keys(workflows).filter((type) => !types.has(type))).toEqual([]);
});

/** Values of a search attribute that workflows of a type have shown in this version's histories in a folder. */
function shown(folder: string, workflowType: string, { name: attribute }: { name: string }): unknown[] {
  const values = histories
    .filter(({ name, workflowType: type }) => name.startsWith(`${onwardVersion()}/${folder}/`) && type === workflowType)
    .flatMap(({ history: { events } }) => events ?? [])
    .map(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => upserted?.searchAttributes?.indexedFields)
    .flatMap((fields) => fields?.[attribute]?.data ?? [])
    .map((data): unknown => JSON.parse(Buffer.from(data).toString()));
  return [...new Set(values)];
}

/** In their order, with what the engine does at both ends. */
function stepsFrom(version: string): string[] {
  const { chosen } = CATALOGUE.choose([version]);
  if (!chosen) throw new Error(`no release follows ${version}`);
  return [PREFLIGHT, ...plannedPath(chosen.path, chosen.release)].map(({ name }) => name);
}

describe.each(SOURCE_VERSIONS)('of this version, upgrades from %s are recorded', (from) => {
  test('in every state, and the guards of their consents', () => {
    // An upgrade leaves `starting` in its first workflow task, before anybody can see it.
    const states = UPGRADE_STATES.filter((state) => state !== 'starting');
    expect(shown(from, 'upgradeProvider', stateAttribute)).toEqual(expect.arrayContaining(states));
    expect(shown(from, 'guardConsent', stateAttribute)).toEqual(expect.arrayContaining([...CONSENT_STATES]));
  });

  test('in every step of their path', () => {
    expect(shown(from, 'upgradeProvider', stepAttribute)).toEqual(expect.arrayContaining(stepsFrom(from)));
  });
});

test('of this version, fleets are recorded in every state, and so are their waves', () => {
  expect(shown('fleet', 'upgradeFleet', stateAttribute)).toEqual(expect.arrayContaining([...FLEET_STATES]));
  // A wave is pending when its fleet starts it, and changes that once.
  expect(shown('fleet', 'upgradeWave', stateAttribute)).toEqual(expect.arrayContaining(['running', 'done']));
});
