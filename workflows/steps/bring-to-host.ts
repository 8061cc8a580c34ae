import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE, type HostScriptParameters } from '../../src/contract/activities';
import type { EndpointHost } from '../../src/contract/provider';
import type { StepContext } from '../engine/step';

/** A script of a release: the file `<script>.ps1` beside its paths. */
export interface HostScript {
  release: string;
  script: string;
  parameters?: HostScriptParameters;
}

type BringContext = Pick<StepContext, 'activities' | 'operation' | 'note' | 'checkpoint'>;

/**
 * Brings to a host what its new version needs, with one restart of Windows where the script asks for it. The host has to be
 * claimed (./claim-hosts), and a restart interrupts everything that it serves. Safe to repeat; there is no way back from it, so
 * what is brought has to be something that the old version can live with.
 */
export async function bringToHost(
  context: BringContext,
  host: EndpointHost,
  { release, script, parameters = {} }: HostScript,
): Promise<void> {
  const { activities, operation } = context;
  const endpoint = activities.endpoint(host);
  const run = async (when: string) => {
    const said = await endpoint.runHostScript(`${script} of ${release} on ${host.name}${when}`, {
      host,
      operation,
      release,
      script,
      parameters,
    });
    context.note(`${host.name}: ${said.note}`);
    return said;
  };
  let said = await run('');
  if (said.restartNeeded) {
    await context.checkpoint();
    context.note(`${host.name} is restarted`);
    await endpoint.restartHost(`restart ${host.name}`, { host, operation, before: said.bootTime });
    said = await run(' after its restart');
  }
  if (said.done) return;
  throw ApplicationFailure.nonRetryable(
    `${host.name}: ${script} of ${release} is not done: ${said.note} Look at the host, then retry.`,
    FAILURE.unexpectedState,
  );
}
