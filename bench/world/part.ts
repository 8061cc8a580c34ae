/**
 * A part of the bench's world in a process of its own: the sandbox, the control plane's worker, the workers of all endpoint
 * hosts, or workers with stubs for activities. Its first argument is its role as JSON; it sends one message when it is ready, and ends with its parent.
 */
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { MicrosoftActivities } from '../../src/contract/activities';
import { CONTROL_TASK_QUEUE, endpointTaskQueue } from '../../src/contract/provider';
import { SANDBOX_ADAPTERS, simulatedPowershell, simulatedSettings, urlOfHost } from '../../src/sandbox/adapters';
import type { ProviderProfileInput } from '../../src/sandbox/inventory';
import { startSandbox } from '../../src/sandbox/server';
import type { Timings } from '../../src/sandbox/world/timings';
import { connectWorker } from '../../src/temporal/worker-connection';
import { createControlPlaneWorker } from '../../src/worker/control-plane';
import { createEndpointWorker } from '../../src/worker/endpoint';
import { cachedWorkflows } from '../../src/worker/workflow-cache';
import { testAtMicrosoft } from '../../test/kit/microsoft-adapter';
import { QUICK_LOOKS } from '../../test/kit/rehearsal/quick-looks';

import { stubFleetControlPlane, type StubFleet } from './stub-fleet';
import { STUB_HOST, stubsOf } from './stub-provider';
import { SIMULATED_RELEASES } from '../../workflows/releases';

export interface SandboxPart {
  part: 'sandbox';
  /** Holds the providers already. */
  dataDirectory: string;
  inventoryDirectory: string;
  /** What all entries of the inventory have in common. */
  settings: Partial<ProviderProfileInput>;
  /** Whose connections Microsoft itself tests, in place of the sandbox's screen. */
  atMicrosoft?: string[];
}
export interface ControlPlanePart {
  part: 'controlPlane';
  inventoryDirectory: string;
  /** Bundle with the workflows. */
  codePath: string;
}
export interface EndpointsPart {
  part: 'endpoints';
  hosts: string[];
  /** `.../_sim/` of the sandbox. */
  sim: string;
}
export interface StubControlPlanePart {
  part: 'stubControlPlane';
  codePath: string;
  /** Application instances of each provider. */
  instances: number;
  /** Upgrades that it keeps in memory; by default as many as the product's worker. */
  cached?: number | undefined;
}
export interface StubEndpointPart {
  part: 'stubEndpoint';
  instances: number;
}
/** The control plane of a base of providers, for fleets. */
export interface StubFleetPart {
  part: 'stubFleet';
  codePath: string;
  fleet: StubFleet;
}
export type Part =
  SandboxPart | ControlPlanePart | EndpointsPart | StubControlPlanePart | StubEndpointPart | StubFleetPart;

/** The zero-latency sandbox: whatever the systems would take their time for is done at once. */
const AT_ONCE: Partial<Timings> = { drainMs: 0, importMs: 0, relationsMs: 0, upgradeMs: 0, setupMs: 0, iisResetMs: 0 };

/** The gates for consent stay open. */
const nobodyConsented: MicrosoftActivities['testConnection'] = async () => ({
  ok: false,
  checks: [{ name: 'PartnerCenter', ok: false, message: 'no token' }],
});

async function begin(part: Part): Promise<void> {
  switch (part.part) {
    case 'sandbox': {
      const { dataDirectory, inventoryDirectory, settings, atMicrosoft = [] } = part;
      const sandbox = await startSandbox({
        releases: SIMULATED_RELEASES,
        dataDirectory,
        providers: [],
        timings: AT_ONCE,
      });
      sandbox.writeInventory(inventoryDirectory, settings);
      for (const id of atMicrosoft) {
        const connectionTest = testAtMicrosoft(sandbox, sandbox.world.provider(id));
        sandbox.writeInventory(inventoryDirectory, { ...settings, connectionTest }, [id]);
      }
      return ready({ sim: sandbox.urls.sim });
    }
    case 'controlPlane': {
      const { inventoryDirectory, codePath } = part;
      const worker = await createControlPlaneWorker(await connectWorker(), {
        inventoryDirectory,
        adapters: SANDBOX_ADAPTERS,
        polling: QUICK_LOOKS,
        workflows: { codePath },
      });
      ready({});
      return await worker.run();
    }
    case 'endpoints': {
      const connection = await connectWorker();
      const workers = await Promise.all(
        part.hosts.map(async (host) => {
          const at = urlOfHost(part.sim, host);
          const endpoint = await simulatedSettings(at);
          return await createEndpointWorker(connection, {
            host,
            endpoint,
            powershell: simulatedPowershell(at, { PATH: '' }),
          });
        }),
      );
      ready({});
      await Promise.all(workers.map((worker) => worker.run()));
      return;
    }
    case 'stubControlPlane': {
      const worker = await Worker.create({
        connection: await connectWorker(),
        taskQueue: CONTROL_TASK_QUEUE,
        workflowBundle: { codePath: part.codePath },
        activities: stubsOf(part.instances, { change: { testConnection: nobodyConsented } }),
        maxCachedWorkflows: part.cached ?? cachedWorkflows(),
      });
      ready({});
      return await worker.run();
    }
    case 'stubFleet': {
      const worker = await Worker.create({
        connection: await connectWorker(),
        taskQueue: CONTROL_TASK_QUEUE,
        workflowBundle: { codePath: part.codePath },
        activities: stubFleetControlPlane(part.fleet),
        maxCachedWorkflows: cachedWorkflows(),
      });
      ready({});
      return await worker.run();
    }
    case 'stubEndpoint': {
      const taskQueue = endpointTaskQueue(STUB_HOST);
      const activities = stubsOf(part.instances);
      const worker = await Worker.create({ connection: await connectWorker(), taskQueue, activities });
      ready({});
      return await worker.run();
    }
  }
}

function ready(message: object): void {
  process.send?.(message);
}

Runtime.install({ logger: new DefaultLogger('ERROR') });
process.once('disconnect', () => process.exit());
begin(JSON.parse(process.argv[2] ?? '') as Part).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
