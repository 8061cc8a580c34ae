/**
 * Everything that an upgrade needs from people can be said with the `temporal` command alone.
 *
 * @needs temporal
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { UpgradeStatus } from '../../src/contract/status';
import { ManualWork } from '../../src/sandbox/manual-work';
import { findTemporalCli } from '../../src/temporal/cli-binary';
import { testInFull } from '../kit/extent';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

const run = promisify(execFile);

let rehearsal: Rehearsal;
let temporal: (...args: string[]) => Promise<string>;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
  const { path } = await findTemporalCli();
  temporal = async (...args) => (await run(path, [...args, ...rehearsal.connectionArguments])).stdout;
});
afterAll(async () => {
  await rehearsal?.close();
});

const idOf = (upgrade: Upgrade): string => `upgrade/${upgrade.provider}`;

async function statusOf(upgrade: Upgrade): Promise<UpgradeStatus> {
  const answer = await temporal(
    'workflow',
    'query',
    '--workflow-id',
    idOf(upgrade),
    '--type',
    'status',
    '--output',
    'json',
  );
  const { queryResult } = JSON.parse(answer) as { queryResult: UpgradeStatus[] };
  const [status] = queryResult;
  if (!status) throw new Error(`temporal workflow query said: ${answer}`);
  return status;
}

test('an upgrade is started, answered gate by gate, and read with the temporal command alone', async () => {
  const upgrade = await rehearsal.provider({ id: 'cli-only', instances: 1 });
  const work = new ManualWork(rehearsal.sandbox.urls.control(upgrade.provider));
  const start = ['--type', 'upgradeProvider', '--task-queue', 'onward', '--input', '{"provider":"cli-only"}'];
  await temporal('workflow', 'start', '--workflow-id', idOf(upgrade), ...start);

  const answered = new Set<string>();
  for (let status = await statusOf(upgrade); status.endedAt === undefined; status = await statusOf(upgrade)) {
    // The command prints an empty list as null.
    const gate = (status.gates as UpgradeStatus['gates'] | null)?.find(({ id }) => !answered.has(id));
    if (!gate) continue;
    answered.add(gate.id);
    await work.for(gate);
    const input = JSON.stringify({
      ...gate.answer.payload,
      by: 'ana@csp.example',
      ...('evidence' in gate.answer.payload && { evidence: 'ticket 4711' }),
    });
    await temporal('workflow', 'signal', '--workflow-id', idOf(upgrade), '--name', gate.answer.name, '--input', input);
  }

  const described = JSON.parse(
    await temporal('workflow', 'describe', '--workflow-id', idOf(upgrade), '--output', 'json'),
  ) as {
    workflowExecutionInfo: { status: string };
    result: unknown;
  };
  expect(described.workflowExecutionInfo.status).toBe('WORKFLOW_EXECUTION_STATUS_COMPLETED');
  expect(described.result).toMatchObject({ provider: 'cli-only', from: '18.3', to: '18.4.1' });
  expect([...answered].sort()).toEqual([
    expect.stringMatching(/^acquireRefreshTokens\/\d+$/),
    'removeEmailParameter/parameter',
    'removeEmailParameter/store-main',
    'removeEmailParameter/store-partner',
    'updateCustomizations/controlPanel',
    'updateCustomizations/store-main',
    'updateCustomizations/store-partner',
  ]);
});

testInFull('an update of the same name says why an answer is refused', async () => {
  const upgrade = await rehearsal.provider({ id: 'cli-update', instances: 1 });
  await upgrade.start();
  await upgrade.statusWhen(({ gates }) => gates.length > 0);
  const update = [
    '--workflow-id',
    idOf(upgrade),
    '--name',
    'consentCompleted',
    '--input',
    '{"instance":"4711","by":"ana"}',
  ];
  await expect(temporal('workflow', 'update', 'execute', ...update)).rejects.toMatchObject({
    stderr: expect.stringContaining('No consent is waited for from instance') as string,
  });
  await upgrade.operate();
});

testInFull('upgrades are found by their search attributes, and current details say what is waited for', async () => {
  const upgrade = await rehearsal.provider({ id: 'cli-search', instances: 1 });
  await upgrade.start();
  await upgrade.statusWhen(({ gates }) => gates.length > 0);
  const query =
    'OnwardProvider = "cli-search" AND OnwardState = "waiting" AND OnwardCrossed = true AND OnwardStep = "acquireRefreshTokens" AND OnwardOpenGates = 1';
  // Visibility is written after the fact; the list is asked until it has caught up.
  let found: { execution: { workflowId: string } }[] = [];
  while (found.length === 0)
    found = JSON.parse(await temporal('workflow', 'list', '--query', query, '--output', 'json')) as typeof found;
  expect(found.map(({ execution }) => execution.workflowId)).toEqual([idOf(upgrade)]);
  const metadata = await temporal('workflow', 'metadata', '--workflow-id', idOf(upgrade), '--output', 'json');
  expect(metadata).toContain('The point of no return was passed');
  expect(metadata).toContain('Consent for instance');
  await upgrade.operate();
});
