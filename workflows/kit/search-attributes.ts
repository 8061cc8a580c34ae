import type { SearchAttributePair, SearchAttributeUpdatePair } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';

/** The search attributes of a workflow as the server has them: each change is an event of history, so only changes are sent. */
export class SentAttributes {
  private readonly sent = new Map<string, unknown>();

  /** Those of `values` that the server does not have yet; null takes one away. */
  changed(values: SearchAttributeUpdatePair[]): SearchAttributeUpdatePair[] {
    return values.filter(({ key, value }) => this.valueOf(key) !== value);
  }

  send(values: SearchAttributeUpdatePair[]): void {
    const changed = this.changed(values);
    for (const { key, value } of changed) this.sent.set(key.name, value);
    if (changed.length > 0) upsertSearchAttributes(changed);
  }

  /** Null where it was never set. The run before, or whoever started the workflow, may have set it. */
  valueOf(key: SearchAttributePair['key']): unknown {
    if (this.sent.has(key.name)) return this.sent.get(key.name);
    const begun = workflowInfo().typedSearchAttributes.getAll();
    return begun.find((each) => each.key.name === key.name)?.value ?? null;
  }
}
