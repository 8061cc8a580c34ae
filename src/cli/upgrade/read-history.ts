/** Reads an upgrade's history: what was put in, what was done, what came out. */
import type { Client } from '@temporalio/client';
import { ApplicationFailure, TimeoutFailure, type LoadedDataConverter, type Payload } from '@temporalio/common';
import {
  decodeFromPayloadsAtIndex,
  decodeOptionalFailureToOptionalError,
  decodeOptionalSinglePayload,
} from '@temporalio/common/lib/internal-non-workflow';
import { optionalTsToDate } from '@temporalio/common/lib/time';
import type { temporal } from '@temporalio/proto';
import { frozenProfile, type FrozenProfile } from '../../contract/entry';
import type { UpgradeResult } from '../../contract/status';
import type { Action, UpgradeHistory } from './upgrades';

type Event = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure;
type Facts = Pick<UpgradeHistory, 'input' | 'profile' | 'actions' | 'result' | 'failure' | 'historyEvents' | 'sdks'>;

/** Name of the activity whose result is the frozen profile. */
const LOAD_PROVIDER = 'loadProvider';

export async function readHistory(client: Client, events: Event[]): Promise<Facts> {
  const read = new HistoryReader(client.options.loadedDataConverter);
  for (const event of events) await read.event(event);
  return read.facts(events.length);
}

class HistoryReader {
  private readonly actions = new Map<string, Action>();
  private readonly sdks = new Set<string>();
  private input: unknown;
  private profile: FrozenProfile | undefined;
  private result: UpgradeResult | undefined;
  private failure: UpgradeHistory['failure'];

  constructor(private readonly converter: LoadedDataConverter) {}

  facts(historyEvents: number): Facts {
    const { input, profile, result, failure } = this;
    return {
      input,
      profile,
      actions: [...this.actions.values()],
      result,
      failure,
      historyEvents,
      sdks: [...this.sdks],
    };
  }

  async event(event: Event): Promise<void> {
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) {
      this.input = await this.first(started.input?.payloads);
    }
    const { sdkName, sdkVersion } = event.workflowTaskCompletedEventAttributes?.sdkMetadata ?? {};
    if (sdkName && sdkVersion) this.sdks.add(`${sdkName} ${sdkVersion}`);
    await this.activity(event);
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) this.result = (await this.first(completed.result?.payloads)) as UpgradeResult;
    const failed = event.workflowExecutionFailedEventAttributes;
    if (failed) {
      const error = await this.error(failed.failure);
      this.failure = {
        type: error instanceof ApplicationFailure ? (error.type ?? 'Failure') : 'Failure',
        message: error?.message ?? '',
      };
    }
  }

  private async activity(event: Event): Promise<void> {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      this.actions.set(String(event.eventId), {
        name: scheduled.activityType?.name ?? '',
        summary: await this.summary(event),
        taskQueue: scheduled.taskQueue?.name ?? '',
        scheduledAt: timeOf(event),
        outcome: 'running',
        attempts: 0,
      });
      return;
    }
    const started = event.activityTaskStartedEventAttributes;
    const completed = event.activityTaskCompletedEventAttributes;
    const failed = event.activityTaskFailedEventAttributes;
    const timedOut = event.activityTaskTimedOutEventAttributes;
    const canceled = event.activityTaskCanceledEventAttributes;
    const about = started ?? completed ?? failed ?? timedOut ?? canceled;
    const action = this.actions.get(String(about?.scheduledEventId));
    if (action === undefined) return;
    if (started) {
      action.startedAt = timeOf(event);
      action.attempts = started.attempt ?? 1;
      action.worker = started.identity ?? undefined;
      action.failure = (await this.error(started.lastFailure))?.message;
      return;
    }
    if (completed && action.name === LOAD_PROVIDER)
      this.profile = frozenProfile.safeParse(await this.first(completed.result?.payloads)).data;
    action.endedAt = timeOf(event);
    action.outcome = completed ? 'completed' : failed ? 'failed' : timedOut ? 'timedOut' : 'cancelled';
    const error = await this.error((failed ?? timedOut)?.failure);
    if (error !== undefined) action.failure = error instanceof TimeoutFailure ? timeoutText(error) : error.message;
  }

  private async summary({ userMetadata }: Event): Promise<string | undefined> {
    return (await decodeOptionalSinglePayload<string>(this.converter, userMetadata?.summary)) ?? undefined;
  }

  private async first(payloads: Payload[] | null | undefined): Promise<unknown> {
    return decodeFromPayloadsAtIndex<unknown>(this.converter, 0, payloads);
  }

  private async error(failure: Failure | null | undefined): Promise<Error | undefined> {
    return decodeOptionalFailureToOptionalError(this.converter, failure);
  }
}

const timeoutText = (error: TimeoutFailure): string => `timed out (${error.timeoutType})`;

const timeOf = (event: Event): string => optionalTsToDate(event.eventTime)?.toISOString() ?? '';
