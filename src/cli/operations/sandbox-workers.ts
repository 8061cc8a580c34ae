/** Workers of the simulated endpoint hosts of a sandbox, all in one process. Loads the SDK's native core. */
import type { Worker } from '@temporalio/worker';
import { simulatedPowershell, urlOfHost } from '../../sandbox/adapters';
import type { Sandbox } from '../../sandbox/server';
import type { TemporalSettings } from '../../temporal/connection';
import { connectWorker } from '../../temporal/worker-connection';
import { createEndpointWorker } from '../../worker/endpoint';
import { serve } from '../../worker/serve';
import { reached } from '../kit/temporal/connect';

export interface SandboxWorkers {
  hosts: string[];
  close(): Promise<void>;
}

/** @param env of this process, which decides what PowerShell the hosts have */
export async function startSandboxWorkers(
  sandbox: Sandbox,
  settings: TemporalSettings,
  env: NodeJS.ProcessEnv,
): Promise<SandboxWorkers> {
  const connection = await reached(connectWorker(settings));
  const running: { worker: Worker; done: Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const { worker } of running) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(running.map(({ done }) => done));
    await connection.close();
  };
  try {
    const hosts = sandbox.world.hosts().map(({ name }) => name);
    for (const host of hosts) {
      const worker = await createEndpointWorker(connection, {
        host,
        endpoint: sandbox.hosts.endpointSettings(host),
        settings,
        powershell: simulatedPowershell(urlOfHost(sandbox.urls.sim, host), env),
      });
      running.push({ worker, done: serve(worker) });
    }
    return { hosts, close };
  } catch (error) {
    await close();
    throw error;
  }
}
