/**
 * Records the histories of this version of Onward, in place of those that it has: `npm run record-histories`, or with the
 * names of scenarios after `--` only those. Every scenario runs on both paths, against the sandbox, which takes minutes.
 * Nothing is written unless all of them end as they should.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from '@temporalio/common/lib/proto-utils';
import { SOURCE_VERSIONS } from '../../src/contract/versions';
import { onwardVersion } from '../../src/cli/version';
import { Rehearsal } from '../e2e/rehearsal';
import { GUARDS } from './guard-scenarios';
import { HISTORIES, saveHistory } from './recorded-histories';
import { RunToRecord, type Scenario } from './run-to-record';
import { UPGRADES } from './upgrade-scenarios';

const DEADLINE_MS = 120_000;

async function main(wanted: string[]): Promise<void> {
  const scenarios = [...UPGRADES, ...GUARDS];
  const unknown = wanted.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0)
    throw new Error(`No scenario ${unknown.join(', ')}. There are: ${scenarios.map(({ name }) => name).join(', ')}.`);

  const recorded = new Map<string, History>();
  const rehearsal = await Rehearsal.start();
  try {
    for (const from of SOURCE_VERSIONS) {
      for (const scenario of scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
        console.error(`${from} ${scenario.name}`);
        for (const [state, history] of await run(rehearsal, from, scenario))
          recorded.set(`${onwardVersion()}/${from}/${state}`, history);
      }
    }
  } finally {
    await rehearsal.close();
  }
  if (wanted.length === 0) await rm(path.join(HISTORIES, onwardVersion()), { recursive: true, force: true });
  for (const [name, history] of recorded) console.log(`${name}: ${await saveHistory(name, history)} bytes`);
}

async function run(
  rehearsal: Rehearsal,
  from: string,
  { name, options, settings, record }: Scenario,
): Promise<ReadonlyMap<string, History>> {
  const id = `${name}-${from.replace('.', '-')}`;
  const upgrade = await rehearsal.provider(
    { id, sourceVersion: from, instances: 2, ...ownHost(id), ...options?.(id) },
    settings,
  );
  const begun = new RunToRecord(rehearsal, upgrade);
  const late = sleep(DEADLINE_MS, 'late', { ref: false });
  if ((await Promise.race([record(begun), late])) === 'late')
    throw new Error(`${id} took longer than ${DEADLINE_MS} ms.`);
  return begun.recorded;
}

/** Faults of hosts are ordered by the host's name. */
const ownHost = (id: string) => ({ gateways: [{ host: `${id}-host` }] });

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
