/**
 * The Temporal server of tests. Whoever does not kill it shares one in a run of Jest, each with a namespace of its own; outside of Jest, and
 * where there is none to share, it is one's own.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { localSettings, type TemporalSettings } from '../../src/temporal/connection';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server';

export interface TemporalServer {
  /** How to connect to it, and the namespace that nobody else uses. */
  settings: TemporalSettings;
  /** Ends it where it is one's own. */
  close(): Promise<void>;
}

/** More than a run has test files that share the server, and those that start several. */
const NAMESPACES = 60;
const namespaceOf = (index: number): string => `test-${index}`;

/** Set by the global setup: the address of the shared server, and a folder with one entry for each namespace that is taken. */
const ADDRESS = 'ONWARD_TEST_TEMPORAL';
const TAKEN = 'ONWARD_TEST_NAMESPACES';

let endShared = async (): Promise<void> => undefined;

/** For Jest's global setup. */
export async function shareServer(): Promise<void> {
  const namespaces = Array.from({ length: NAMESPACES }, (_, index) => namespaceOf(index));
  const server = await startDevServer({ namespaces });
  const taken = await mkdtemp(path.join(os.tmpdir(), 'onward-namespaces-'));
  process.env[ADDRESS] = server.address;
  process.env[TAKEN] = taken;
  endShared = async () => {
    await server.close();
    await rm(taken, { recursive: true, force: true });
  };
  // Jest ends at once, without its teardown, and the server is in a group of its own.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void endShared().finally(() => process.kill(process.pid, signal)));
}

/** Jest's global teardown. */
export default async function endSharedServer(): Promise<void> {
  await endShared();
}

export async function temporalServer(): Promise<TemporalServer> {
  const address = process.env[ADDRESS];
  const taken = process.env[TAKEN];
  if (address === undefined || taken === undefined) return ownServer(await startDevServer());
  return {
    settings: { ...localSettings(address), namespace: await takeNamespace(taken) },
    close: async () => undefined,
  };
}

/** One that may be killed, and that nobody else uses. */
export const ownServer = (server: DevServer): TemporalServer => ({
  settings: localSettings(server.address),
  close: () => server.close(),
});

async function takeNamespace(taken: string): Promise<string> {
  for (let index = 0; index < NAMESPACES; index++) {
    const namespace = namespaceOf(index);
    try {
      await mkdir(path.join(taken, namespace));
      return namespace;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new Error(
    `All ${NAMESPACES} namespaces of the shared server are taken: raise NAMESPACES in test/kit/temporal-server.ts.`,
  );
}
