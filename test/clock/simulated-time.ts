/** A Temporal server on which months pass in moments, with workers of the product's own workflows. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Client } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../src/temporal/search-attributes';
import { builtWorkflows } from '../../src/worker/workflow-bundle';
import '../kit/quiet-runtime';
import { aMoment, patience } from '../kit/deadlines';
import { Workers } from '../kit/workers';
import { foundExecutable } from '../kit/test-server';

export const DAY = 24 * 3600 * 1000;
/** The SDK gives a server five seconds to answer; on a busy machine Java may need more, and gets another chance. */
const STARTS_WITHIN_MS = patience(60_000);

/** Temporal's numbers of the types that our search attributes have. */
const INDEXED_VALUE = { KEYWORD: 2, INT: 3, BOOL: 5 } as const;

/**
 * Each test has a server of its own: time is one for a whole server, and what one test leaves behind can stop the time of the
 * next (temporal.md 2.4).
 */
export class SimulatedTime {
  /** Not the environment's own, which lets time pass while it waits for a result: here it passes only when told to. */
  readonly client: Client;
  private readonly workers = new Workers();

  private constructor(
    private readonly environment: TestWorkflowEnvironment,
    private readonly codePath: string,
  ) {
    this.client = new Client({ connection: environment.connection });
  }

  static async start(): Promise<SimulatedTime> {
    const environment = await startServer();
    // Without them it would refuse every upsert, for ever and quietly.
    await environment.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(SEARCH_ATTRIBUTES.map(({ name, type }) => [name, INDEXED_VALUE[type]])),
    });
    return new SimulatedTime(environment, builtWorkflows().codePath);
  }

  /** Milliseconds since 1970. */
  now(): Promise<number> {
    return this.environment.currentTimeMs();
  }

  /** Lets this much time pass, and everything happen that falls into it. */
  async pass(milliseconds: number): Promise<void> {
    await this.environment.sleep(milliseconds);
  }

  /**
   * Returns when a workflow has ended that outlived its parent. This server waits for ever until the parent has heard of it, and
   * lets no time pass meanwhile.
   */
  async endsAsOrphan(workflowId: string): Promise<void> {
    await this.client.workflow.getHandle(workflowId).result();
    await this.environment.connection.testService?.unlockTimeSkipping({});
  }

  /** A worker of our workflows and of these activities. */
  async serve(taskQueue: string, activities: object): Promise<void> {
    await this.workers.start({
      connection: this.environment.nativeConnection,
      taskQueue,
      workflowBundle: { codePath: this.codePath },
      activities,
    });
  }

  async close(): Promise<void> {
    await this.workers.end();
    await this.environment.teardown();
  }
}

async function startServer(): Promise<TestWorkflowEnvironment> {
  const executable = foundExecutable();
  for (const until = Date.now() + STARTS_WITHIN_MS; ; await aMoment()) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping(
        executable === undefined ? {} : { server: { executable: { type: 'existing-path', path: executable } } },
      );
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}
