import { promises as dns } from 'node:dns';
import { FAILURE, type NetworkActivities } from '../src/contract/activities';
import { packageOf } from '../src/contract/entry';
import { SystemError } from '../src/systems/system-error';
import type { Entries } from './entries';
import { hashPackage } from './hash-package';
import { heartbeating } from './polling';

/** How a hostname is looked up: by the name service, then as every other program of this machine does. */
export interface NameService {
  resolve4(hostname: string): Promise<string[]>;
  lookup(hostname: string): Promise<string[]>;
}

const RESOLVE_DEADLINE_MS = 15_000;

export interface NetworkDependencies {
  entries: Entries;
  names?: NameService;
}

export function createNetworkActivities({ entries, names = systemNames() }: NetworkDependencies): NetworkActivities {
  return {
    resolveHostnames: ({ hostnames }) =>
      heartbeating(async () => {
        const resolved = await Promise.all(
          hostnames.map(async (hostname) => [hostname, await addressesOf(names, hostname)] as const),
        );
        return Object.fromEntries(resolved);
      }),

    hashPackage: ({ entry, version }) =>
      heartbeating(async (report) => {
        const source = packageOf(await entries.resolve(entry, `packages.${version}`), version);
        return await hashPackage(version, source, report);
      }),
  };
}

async function addressesOf(names: NameService, hostname: string): Promise<string[]> {
  const addresses = await inTime(hostname, async () => {
    try {
      return await names.resolve4(hostname);
    } catch {
      // Names that only this machine's hosts file knows, and addresses written as names.
      return names.lookup(hostname);
    }
  });
  return [...new Set(addresses)].sort((a, b) => addressNumber(a) - addressNumber(b));
}

async function inTime(hostname: string, look: () => Promise<string[]>): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(noAnswer(hostname, `within ${RESOLVE_DEADLINE_MS / 1000} s`)), RESOLVE_DEADLINE_MS);
  });
  try {
    return await Promise.race([look(), late]);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw error instanceof SystemError ? error : noAnswer(hostname, `(${code ?? String(error)})`);
  } finally {
    clearTimeout(timer);
  }
}

function noAnswer(hostname: string, why: string): SystemError {
  return new SystemError({
    type: FAILURE.unreachable,
    system: 'name service',
    call: 'resolving',
    object: hostname,
    problem: `got no answer ${why}`,
    next: "Check the name service of this worker, or give the address in the provider's gatewayAddresses.",
  });
}

const addressNumber = (address: string): number =>
  address.split('.').reduce((number, part) => number * 256 + Number(part), 0);

function systemNames(): NameService {
  const resolver = new dns.Resolver({ timeout: 3_000, tries: 2 });
  return {
    resolve4: (hostname) => resolver.resolve4(hostname),
    lookup: async (hostname) => {
      const found = await dns.lookup(hostname, { family: 4, all: true });
      return found.map(({ address }) => address);
    },
  };
}
