/**
 * What the Temporal UI shows of a workflow, written once for all that a worker hands it together. Within one such activation a thousand
 * gates may open or close, and each would be told anew; nobody can look in between.
 */
import { setCurrentDetails, type WorkflowInterceptors } from '@temporalio/workflow';

/** Of this workflow: every workflow has the modules to itself. */
let details: (() => string | undefined) | undefined;

/** @param tell the details, or undefined where they are as they were. Called whenever the workflow has done all it can for now. */
export function showDetails(tell: () => string | undefined): void {
  details = tell;
}

/** Bundled with every workflow. */
export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      concludeActivation(input, next) {
        const told = details?.();
        if (told !== undefined) setCurrentDetails(told);
        return next(input);
      },
    },
  ],
});
