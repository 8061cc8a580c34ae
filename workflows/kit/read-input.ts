import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import type { z } from 'zod';
import { FAILURE } from '../../src/contract/activities';
import { problemsOf } from './problem';

/** A workflow that could have any id would stand for something that it is not. */
export function otherIdThan(expected: string, because = ''): string[] {
  const { workflowId } = workflowInfo();
  return workflowId === expected ? [] : [`the workflow id is "${workflowId}" and has to be "${expected}"${because}`];
}

/** Some servers give every workflow a timeout of years, which ends nothing that matters. */
const LONG_MS = 400 * 24 * 3600 * 1000;

/** Temporal would end it in its midst, or start it again and again as one and the same chain. */
export function endsOrRepeatsByItself(): string[] {
  const { cronSchedule, executionTimeoutMs, runTimeoutMs } = workflowInfo();
  const ends = [executionTimeoutMs, runTimeoutMs].some((ms) => ms !== undefined && ms > 0 && ms < LONG_MS);
  return [
    ...(cronSchedule === undefined ? [] : ['it has a cron schedule, and has to be started each time by somebody']),
    ...(ends ? ['it has an execution or run timeout, and has to come to its own end'] : []),
  ];
}

/**
 * The input of a workflow, or one failure with all of its problems, before anything else happens.
 *
 * @param problemsIn what is wrong with an input of the right shape.
 * @param explain the problems, and how the input reads.
 */
export function readInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  problemsIn: (value: z.output<Schema>) => string[],
  explain: (problems: string) => string,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  const problems = parsed.success ? problemsIn(parsed.data) : [problemsOf(parsed.error)];
  if (parsed.success && problems.length === 0) return parsed.data;
  throw ApplicationFailure.nonRetryable(explain(problems.join('; ')), FAILURE.invalidInput);
}
