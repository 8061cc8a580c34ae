/**
 * Failures whose messages and stack traces travel as payloads, so that the codec encrypts them too. Loaded by clients and
 * workers, and bundled with the workflows; only where payloads are encrypted, because otherwise it would only hide them.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
