/** Activities begin with what was encrypted for their workflow, once plaintext is refused. */
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { FAILURE } from '../src/contract/activities';
import { Doubtful, valueOf } from '../src/contract/doubtful';

/** For `interceptors.activity` of every worker. */
export const doubtfulInputs: ActivityInterceptorsFactory = ({ info: { activityType } }) => ({
  inbound: {
    async execute(input, next) {
      const refused = input.args.find((arg) => arg instanceof Doubtful && (arg.isAlwaysRefused || arg.late));
      if (refused instanceof Doubtful) {
        throw ApplicationFailure.create({
          message: `${activityType} did not begin: its input ${refused.reason}`,
          type: FAILURE.invalidInput,
          // Another worker may have the right key.
          nonRetryable: refused.doubt !== 'changed',
        });
      }
      return await next({ ...input, args: input.args.map(valueOf) });
    },
  },
});
