import type { Client } from '@temporalio/client';
import { mapAsyncIterable } from '@temporalio/client/lib/iterators-utils';
import { DefaultLogger, makeTelemetryFilterString, Runtime, type ReplayHistoriesIterable } from '@temporalio/worker';
import { connectClient } from '../../temporal/connection';
import { workerConverter } from '../../temporal/data-converter';
import { replay, type Replayed } from '../../worker/replay';
import { builtWorkflows } from '../../worker/workflow-bundle';
import { CliError } from '../kit/cli-error';
import { printResult, type CliContext, type GlobalOptions } from '../kit/context';
import { reached, settingsFor } from '../kit/temporal/connect';
import { listed } from '../kit/temporal/listed';
import { explain } from '../kit/temporal/temporal-errors';

/** Fetched while others are replayed. */
const HISTORIES_AT_ONCE = 5;

export interface ReplayCommandOptions extends GlobalOptions {
  query: string;
}

/** @throws CliError `failure` naming every workflow that this checkout's code cannot go on with. */
export async function runReplay(context: CliContext, options: ReplayCommandOptions): Promise<void> {
  // What the SDK would tell of a replay that fails, we tell ourselves.
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
  const settings = settingsFor(options);
  const converter = await reached(workerConverter(settings));
  const client = await reached(connectClient(settings));
  const replayed: Replayed[] = [];
  const workflows = builtWorkflows(converter);
  try {
    for await (const one of replay(historiesOf(client, options.query), { workflows, converter })) replayed.push(one);
  } catch (error) {
    const gone = new CliError('notFound', 'One of the workflows is no longer there.', {
      hint: 'Run the command again.',
    });
    throw explain(error, 'fetch the histories', gone);
  } finally {
    await client.connection.close();
  }

  const { buildId } = workflows;
  const broken = replayed.flatMap(({ workflowId, problem }) => (problem ? [`${workflowId}: ${problem}`] : []));
  if (broken.length > 0)
    throw new CliError(
      'failure',
      `${broken.length} of ${replayed.length} workflows cannot go on with build ${buildId}:`,
      {
        problems: broken,
        hint: 'Do not start workers of this build for them: docs/changing-a-workflow.md says how a change reaches what runs.',
      },
    );
  printResult(context, options, { buildId, replayed: replayed.map(({ workflowId }) => workflowId) }, [
    replayed.length === 0
      ? 'No workflow matches, so nothing was replayed.'
      : `All ${replayed.length} workflows can go on with build ${buildId}.`,
  ]);
}

const historiesOf = (client: Client, query: string): ReplayHistoriesIterable =>
  mapAsyncIterable(
    listed(client, query),
    async ({ workflowId, runId }) => ({
      workflowId,
      history: await client.workflow.getHandle(workflowId, runId).fetchHistory(),
    }),
    { concurrency: HISTORIES_AT_ONCE },
  );
