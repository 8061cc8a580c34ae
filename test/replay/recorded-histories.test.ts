/** Workflow code is a stored format: what running workflows have done so far has to come out of the code as it is now. */
import './quiet-core';
import { onwardVersion } from '../../src/cli/version';
import { SOURCE_VERSIONS } from '../../src/contract/versions';
import { STEP_NAMES, UPGRADE_STATES } from '../../src/contract/status';
import { CONSENT_STATES } from '../../src/contract/consent';
import { stateAttribute, stepAttribute } from '../../src/temporal/search-attributes';
import { problemsOfReplay, recordedHistories, type RecordedHistory } from './recorded-histories';

let histories: RecordedHistory[];
beforeAll(async () => {
  histories = await recordedHistories();
});

test('every recorded history can be replayed', async () => {
  const problems = await problemsOfReplay(histories);
  expect([...problems].filter(([, problem]) => problem !== undefined)).toEqual([]);
}, 300_000);

describe.each(SOURCE_VERSIONS)('of this version, upgrades from %s are recorded', (from) => {
  /** Values of a search attribute that the histories' workflows have shown. */
  function shown(attribute: string): Set<unknown> {
    const values = histories
      .filter(({ name }) => name.startsWith(`${onwardVersion()}/${from}/`))
      .flatMap(({ history: { events } }) => events ?? [])
      .map(({ upsertWorkflowSearchAttributesEventAttributes: upserted }) => upserted?.searchAttributes?.indexedFields)
      .flatMap((fields) => fields?.[attribute]?.data ?? [])
      .map((data): unknown => JSON.parse(Buffer.from(data).toString()));
    return new Set(values);
  }

  test('in every state, and the guards of their consents', () => {
    // An upgrade leaves `starting` in its first workflow task, before anybody can see it.
    const states = [...UPGRADE_STATES, ...CONSENT_STATES].filter((state) => state !== 'starting');
    expect([...shown(stateAttribute.name)]).toEqual(expect.arrayContaining(states));
  });

  test('in every step of their path', () => {
    const elsewhere = from === '18.4' ? ['acquireRefreshTokens', 'removeEmailParameter'] : [];
    const steps = STEP_NAMES.filter((step) => !elsewhere.includes(step));
    expect([...shown(stepAttribute.name)]).toEqual(expect.arrayContaining(steps));
  });
});
