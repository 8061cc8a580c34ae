/** Workers of a test's own, with activities of its own: they end when the test does, whatever they still hold. */
import { Worker, type WorkerOptions } from '@temporalio/worker';
import { serve, shutdownForceTime } from '../../src/worker/serve';

export class Workers {
  private readonly served: { worker: Worker; done: Promise<void> }[] = [];

  async start(options: WorkerOptions): Promise<Worker> {
    const worker = await Worker.create({ shutdownForceTime: shutdownForceTime(0), ...options });
    this.served.push({ worker, done: serve(worker) });
    return worker;
  }

  async end(): Promise<void> {
    for (const { worker } of this.served) if (worker.getState() === 'RUNNING') worker.shutdown();
    await Promise.all(this.served.map(({ done }) => done));
  }
}
