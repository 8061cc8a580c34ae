/** Lists workflows. Whoever may start one may give it a memo that nobody here can read: then the memo is missing, and no workflow. */
import { isGrpcServiceError, type Client, type WorkflowExecutionInfo } from '@temporalio/client';
import { executionInfoFromRaw, rethrowKnownErrorTypes } from '@temporalio/client/lib/helpers';
import { CONSENT_MEMO, consentMemo, type ConsentStatus } from '../../../contract/consent';

export interface Listed extends WorkflowExecutionInfo {
  /** Why its memo cannot be read. */
  unreadable?: string;
}

type Raw = WorkflowExecutionInfo['raw'];

/** As `client.workflow.list` does, which ends at the first memo that it cannot decode. */
export async function* listed(client: Client, query: string, pageSize?: number): AsyncGenerator<Listed> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await pageOf(client, { query, nextPageToken, pageSize });
    for (const raw of page.executions) yield await infoOf(client, raw);
    nextPageToken = page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
  } while (nextPageToken);
}

async function pageOf(
  { workflowService, options: { namespace } }: Client,
  asked: { query: string; nextPageToken: Uint8Array | undefined; pageSize: number | undefined },
): ReturnType<Client['workflowService']['listWorkflowExecutions']> {
  try {
    return await workflowService.listWorkflowExecutions({ namespace, ...asked });
  } catch (error) {
    if (isGrpcServiceError(error)) rethrowKnownErrorTypes(error);
    throw error;
  }
}

async function infoOf({ options: { loadedDataConverter, namespace } }: Client, raw: Raw): Promise<Listed> {
  try {
    return await executionInfoFromRaw(raw, loadedDataConverter, raw, namespace);
  } catch (error) {
    // Fields that the server leaves out are in the prototype.
    const withoutMemo = Object.create(raw, { memo: { value: null } }) as Raw;
    const info = await executionInfoFromRaw(withoutMemo, loadedDataConverter, raw, namespace);
    return { ...info, unreadable: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * What the running guards of consents say in their memos; one that has just been started says nothing yet.
 *
 * @param filter of the server's list, besides.
 */
export async function listedGuards(
  client: Client,
  filter?: string,
): Promise<{ consents: ConsentStatus[]; /** Which guards, and why. */ unreadable: string[] }> {
  const running = "WorkflowType = 'guardConsent' AND ExecutionStatus = 'Running'";
  const consents: ConsentStatus[] = [];
  const unreadable: string[] = [];
  for await (const guard of listed(client, filter === undefined ? running : `${running} AND ${filter}`)) {
    const said = guard.memo?.[CONSENT_MEMO];
    const status = said === undefined ? undefined : consentMemo.safeParse(said);
    const problem = guard.unreadable ?? (status?.success === false ? 'It is no status of a consent.' : undefined);
    if (problem !== undefined) unreadable.push(`The memo of ${guard.workflowId} cannot be read. ${problem}`);
    else if (status?.success) consents.push(status.data);
  }
  return { consents, unreadable };
}
