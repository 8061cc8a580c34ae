/**
 * The sandbox operator of many upgrades at once. It looks at an upgrade when the upgrade says by its webhook that it waits
 * for people, so that nothing that is measured depends on how often somebody looks.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { SandboxOperator } from '../../src/sandbox/operator';

const notice = z.object({ kind: z.string(), provider: z.string(), workflowId: z.string() });

export class NotifiedOperator {
  /** What went wrong; a bench that has any of these measured something else. */
  readonly problems: string[] = [];
  private readonly operators = new Map<string, SandboxOperator>();
  private readonly looks = new Map<string, Promise<unknown>>();

  private constructor(
    private readonly server: Server,
    private readonly client: Client,
    private readonly controlUrl: (provider: string) => string,
  ) {}

  /** @param controlUrl gives `.../_sim/providers/<provider>/` */
  static async start(client: Client, controlUrl: (provider: string) => string): Promise<NotifiedOperator> {
    const server = createServer();
    const operator = new NotifiedOperator(server, client, controlUrl);
    server.on('request', (request, response) => {
      operator.hear(request).then(
        () => response.writeHead(204).end(),
        (error: Error) => {
          operator.problems.push(error.message);
          response.writeHead(500).end();
        },
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return operator;
  }

  /** For `notify` of the inventory. */
  get webhook(): { kind: 'webhook'; url: string } {
    return { kind: 'webhook', url: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/` };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await Promise.allSettled(this.looks.values());
  }

  /** The notice is taken at once; the look is for afterwards, since the upgrade waits until its notice is delivered. */
  private async hear(request: IncomingMessage): Promise<void> {
    const { kind, provider, workflowId } = notice.parse(JSON.parse(await text(request)));
    if (kind === 'held') this.problems.push(`${provider} holds`);
    if (kind !== 'gatesOpened') return;
    const operator = this.operators.get(workflowId) ?? this.operatorOf(provider, workflowId);
    this.operators.set(workflowId, operator);
    const before = this.looks.get(workflowId) ?? Promise.resolve();
    this.looks.set(
      workflowId,
      before.then(() => operator.look()),
    );
  }

  private operatorOf(provider: string, workflowId: string): SandboxOperator {
    return new SandboxOperator({
      upgrade: this.client.workflow.getHandle(workflowId),
      controlUrl: this.controlUrl(provider),
      onEvent: (event) => {
        if (event.kind === 'failed') this.problems.push(`${provider}: ${event.problem}`);
      },
    });
  }
}
