import { ApplicationFailure, workflowInfo } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';

/** What is wrong where nobody but another workflow of Onward, which starts it as its child, may give this input. */
export const withoutParent = (who: string): string[] =>
  workflowInfo().parent === undefined ? [`only ${who} may start it with this input`] : [];

/** @throws ApplicationFailure `InvalidInput`, before anything of the input is looked at */
export function requireParent(type: string, who: string): void {
  const problems = withoutParent(who);
  if (problems.length > 0) {
    throw ApplicationFailure.nonRetryable(`${type} cannot start: ${problems.join('; ')}.`, FAILURE.invalidInput);
  }
}
