import { explain } from '../../src/cli/kit/temporal/temporal-errors';
import { CliError } from '../../src/cli/kit/cli-error';

/** As the server's answer reaches a client. */
const preconditionFailed = (details: string): Error =>
  Object.assign(new Error(`9 FAILED_PRECONDITION: ${details}`), { code: 9, details, metadata: {} });
const explained = (details: string): CliError =>
  explain(preconditionFailed(details), 'ask the upgrade of contoso', new CliError('notFound', 'It is not there.'));

test('a workflow whose task fails is told from one that no worker serves', () => {
  expect(explained('Unable to query workflow due to Workflow Task in failed state.')).toMatchObject({
    kind: 'noWorker',
    message: 'Could not ask the upgrade of contoso: its workflow task fails, again and again.',
    hint: expect.stringContaining('docs/runbook.md#onwardworkflowtaskfailing'),
  });
  expect(explained('Workflow execution closed before WorkflowTaskStarted event')).toMatchObject({
    kind: 'failure',
    message:
      'Could not ask the upgrade of contoso: it was ended before it had taken in its last news, and tells nothing.',
    hint: expect.stringContaining('onward finish <provider>'),
  });
  expect(explained('no poller seen for task queue recently, worker may be down')).toMatchObject({
    kind: 'noWorker',
    message: expect.stringContaining('no Onward worker answers'),
  });
});
