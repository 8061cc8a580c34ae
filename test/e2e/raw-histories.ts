import type { Client } from '@temporalio/client';

/** Every string and every byte that the server keeps of each workflow's history, undecoded, by workflow and run id. */
export async function rawHistories(client: Client): Promise<Map<string, string>> {
  const { namespace } = client.options;
  const found = new Map<string, string>();
  for await (const { workflowId, runId } of client.workflow.list()) {
    const pieces: string[] = [];
    for (let nextPageToken: Uint8Array | undefined; ;) {
      const page = await client.workflowService.getWorkflowExecutionHistory({
        namespace,
        execution: { workflowId, runId },
        nextPageToken,
      });
      collect(page.history?.events, pieces);
      if (!page.nextPageToken?.length) break;
      ({ nextPageToken } = page);
    }
    found.set(`${workflowId} ${runId}`, pieces.join('\n'));
  }
  return found;
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === 'string') into.push(value);
  else if (value instanceof Uint8Array) into.push(Buffer.from(value).toString('utf8'));
  else if (Array.isArray(value)) for (const inner of value) collect(inner, into);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      into.push(name);
      collect(inner, into);
    }
  }
}
