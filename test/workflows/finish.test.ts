/**
 * Whether an upgrade begins or is finished where little is known: the ledger of its installation cannot be read, or is lost.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { testInFull } from '../kit/extent';
import {
  operationsFacts,
  profile,
  stubActivities,
  type StubActivities,
  type StubOptions,
} from '../kit/stub-world/stub-activities';
import {
  WorkflowEnvironment,
  answerEverything,
  auditOf,
  failureOf,
  statusOf,
  statusWhen,
} from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

const unanswered = (name: keyof StubActivities): Partial<StubActivities> => ({
  [name]: async () => {
    throw ApplicationFailure.nonRetryable(`${name} is not answered`, FAILURE.unreachable);
  },
});

/** Why it is refused. Nothing has been changed, and nothing is noted as begun. */
async function refusalOf(
  provider: string,
  input: Partial<UpgradeInput>,
  options: StubOptions,
): Promise<string | undefined> {
  const { activities, calls } = stubActivities(profile(provider), options);
  const notes: string[] = [];
  const noteInLedger: StubActivities['noteInLedger'] = async (given) => {
    notes.push(given.note.type);
    return await activities.noteInLedger(given);
  };
  const handle = await environment.upgrade({ ...activities, noteInLedger }, { provider, ...input });
  const failure = await failureOf(handle);
  expect(failure).toMatchObject({ type: FAILURE.refused });
  expect(await statusOf(handle)).toMatchObject({ state: 'refused', crossed: false });
  expect({ calls, notes }).toEqual({ calls: [], notes: [] });
  return failure?.message;
}

describe('nothing is touched, and it is said why, where nobody can tell', () => {
  test.each<[what: string, id: string, input: Partial<UpgradeInput>, options: StubOptions, reasons: string[]]>([
    [
      'what is left on the installation: an upgrade that is refused besides names every reason',
      'unread',
      {},
      { version: '18.2', change: unanswered('readLedger') },
      ['sourceVersion: Instances run 18.2', 'installation: readLedger is not answered'],
    ],
    [
      'to whom the installation belongs',
      'unentered',
      {},
      { change: unanswered('enterInstallation') },
      ['installation: enterInstallation is not answered'],
    ],
    [
      'what is to be finished',
      'unfinished',
      { finish: true },
      { change: unanswered('readLedger') },
      ['installation: readLedger is not answered'],
    ],
    [
      'whether the package of a lost upgrade is imported',
      'unlisted',
      { finish: true },
      { change: unanswered('findImported') },
      ['installation: findImported is not answered'],
    ],
    [
      'what is installed of an upgrade that is to be finished',
      'unseen',
      { finish: true },
      { change: unanswered('readOperations') },
      ['systemsAnswer: Operations does not answer: readOperations is not answered'],
    ],
  ])('%s', async (_, provider, input, options, reasons) => {
    const message = await refusalOf(provider, input, options);
    for (const reason of reasons) expect(message).toContain(reason);
  });
});

/** The package list tells of an import, and no ledger of an upgrade. */
const LISTED: Partial<StubActivities> = {
  findImported: async () => ({ applicationId: 17, packageVersion: '18.4.1-12' }),
};

describe('without a ledger', () => {
  test('nothing is finished before an import: it is said that nothing is past its point of no return', async () => {
    const message = await refusalOf('lost-before', { finish: true }, {});
    expect(message).toMatch(/No ledger tells of an unfinished upgrade.*Look whether service templates are inactive/);
  });

  test('where no instance has been upgraded, what refuses a start refuses this: the import may be somebody else’s', async () => {
    const entry = profile('lost-refused');
    const { activities } = stubActivities(entry);
    const readHost: StubActivities['readHost'] = async (input) => ({
      ...(await activities.readHost(input)),
      elevated: false,
    });
    const options = {
      change: { ...LISTED, readHost, hashPackage: async () => ({ sha256: 'b'.repeat(64), bytes: 1 }) },
    };
    const message = await refusalOf('lost-refused', { finish: true }, options);
    expect(message).toContain('elevatedSession: ');
    expect(message).toContain('packageHash: ');
  });

  testInFull('an upgrade past its import goes on, asks what was active, and only forward', async () => {
    const { templates } = operationsFacts();
    const active = new Set([16]);
    const { activities, calls } = stubActivities(profile('lost'), {
      change: {
        ...LISTED,
        activateTemplates: async ({ templateIds }) => templateIds.forEach((id) => active.add(id)),
        deactivateTemplates: async ({ templateIds }) => templateIds.forEach((id) => active.delete(id)),
        readActiveTemplates: async () => templates.filter(({ id }) => active.has(id)),
      },
    });
    const handle = await environment.upgrade(activities, { provider: 'lost', finish: true });
    await statusWhen(handle, ({ gates }) => gates.some(({ item }) => item === 'templates'));
    await handle.signal('abort', { by: 'bo', reason: 'the wrong night' });
    const step = 'stopProvisioning';
    await handle.signal('confirmStep', { step, item: 'templates', by: 'bo', evidence: '15' });
    await answerEverything(handle);
    expect(await handle.result()).toMatchObject({ from: '18.3', to: '18.4.1' });
    expect(calls.filter((call) => call.startsWith('restoreSite'))).toEqual([]);
    expect([...active].sort()).toEqual([15, 16]);
    const audit = await auditOf(handle);
    expect(audit).toContainEqual(expect.objectContaining({ what: 'signal:abort', verdict: 'refused' }));
    expect(audit).toContainEqual(
      expect.objectContaining({ detail: expect.stringContaining('whose ledger is lost') as string }),
    );
  });
});
