/**
 * Whether an upgrade begins or is finished where little is known: the ledger of its installation cannot be read, or is lost.
 *
 * @needs temporal
 */
import { ApplicationFailure } from '@temporalio/common';
import { FAILURE } from '../../src/contract/activities';
import type { UpgradeInput } from '../../src/contract/upgrade-input';
import { profile, stubActivities, type StubActivities, type StubOptions } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment, failureOf, statusOf } from '../kit/stub-world/workflow-environment';

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
