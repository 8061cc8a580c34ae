import { findTemporalCli } from '../src/temporal/cli-binary';
import { prepareTestServer } from './kit/test-server';

/** Many tests start a Temporal server. Getting one may take minutes, once per machine: here it can, in a test it cannot. */
export default async function globalSetup(): Promise<void> {
  await findTemporalCli();
  await prepareTestServer();
}
