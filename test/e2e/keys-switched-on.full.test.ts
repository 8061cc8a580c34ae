/**
 * Encryption is switched on while an upgrade waits: what it has said in clear is understood until the cut-over.
 *
 * @needs temporal
 */
import { randomBytes } from 'node:crypto';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { rawHistories } from './raw-histories';

const before = { ...process.env };
let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await Rehearsal.start({ workers: 'processes' });
});
afterAll(async () => {
  await rehearsal?.close();
  process.env = { ...before };
});

test('an upgrade and its ledger that were begun in clear come to their ends with keys, and say nothing more in clear', async () => {
  const upgrade = await rehearsal.provider(
    { id: 'in-clear', sourceVersion: '18.4', instances: 1 },
    { approval: { beforeCrossing: true } },
  );
  await upgrade.start({ startedBy: 'olga@operations.example' });
  await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
  const ledger = await upgrade.ledger().describe();
  const inClear = (await rawHistories(rehearsal.client)).get(`${ledger.workflowId} ${ledger.runId}`) ?? '';
  expect(inClear).toContain('json/plain');

  process.env['ONWARD_TEST_KEY_1'] = randomBytes(32).toString('base64');
  process.env['ONWARD_CODEC_KEYS'] = 'k1=env:ONWARD_TEST_KEY_1';
  process.env['ONWARD_PLAINTEXT_UNTIL'] = new Date(Date.now() + 3_600_000).toISOString();
  await rehearsal.takeKeys();
  upgrade.findAgain();
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });

  const { runId } = await upgrade.workflow.describe();
  const histories = await rawHistories(rehearsal.client);
  expect(histories.get(`${upgrade.workflow.workflowId} ${runId}`)).toContain('k1');
  const since = histories.get(`${ledger.workflowId} ${ledger.runId}`)?.slice(inClear.length);
  expect(since).toContain('k1');
  expect(since).not.toContain('json/plain');
});
