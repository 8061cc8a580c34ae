import { ServiceError } from '@temporalio/client';
import { sendUpdate } from '../../src/cli/temporal/send-update';

const serviceError = (code: number, details: string): ServiceError =>
  new ServiceError('Workflow Update failed', {
    cause: Object.assign(new Error(details), { code, details, metadata: {} }),
  });
const DROPPED = serviceError(9, 'Unable to perform workflow execution update due to unexpected workflow task failure.');

/** Fails with each of these, one after the other, then records. */
function workflowThatFails(...failures: Error[]) {
  const executeUpdate = jest.fn(async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return { recorded: true, message: 'Everything done so far is being undone.' };
  });
  return { executeUpdate };
}

describe('an update', () => {
  test('that Temporal drops because the workflow’s task failed is sent again', async () => {
    const workflow = workflowThatFails(DROPPED, DROPPED);
    await expect(sendUpdate(workflow as never, 'abort', { by: 'ana' })).resolves.toMatchObject({ recorded: true });
    expect(workflow.executeUpdate).toHaveBeenCalledTimes(3);
  });

  test('that is dropped every time fails in the end, and any other failure at once', async () => {
    const always = workflowThatFails(...Array.from({ length: 9 }, () => DROPPED));
    await expect(sendUpdate(always as never, 'abort', {})).rejects.toBe(DROPPED);
    const other = serviceError(9, 'The workflow has no poller.');
    const once = workflowThatFails(other);
    await expect(sendUpdate(once as never, 'abort', {})).rejects.toBe(other);
    expect(once.executeUpdate).toHaveBeenCalledTimes(1);
  });
});
