/**
 * Records the histories of this version of Onward, in place of those that it has: `npm run record-histories`, or with the
 * names of scenarios after `--` only those. Scenarios of upgrades, guards and looks run on both paths, those of fleets, ledgers and notices once, against
 * the sandbox, which takes minutes. Nothing is written unless all of them end as they should.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { History } from '@temporalio/common/lib/proto-utils';
import { SIMULATED_RELEASES } from '../../workflows/releases';
import { onwardVersion } from '../../src/cli/kit/version';
import { Rehearsal } from '../kit/rehearsal/rehearsal';
import { FLEETS } from './fleet-scenarios';
import { GUARDS } from './guard-scenarios';
import { LEDGERS } from './ledger-scenarios';
import { NOTICES } from './notice-scenarios';
import { PREFLIGHTS } from './preflight-scenarios';
import { HISTORIES, saveHistory } from './recorded-histories';
import { RunToRecord, type Scenario } from './run-to-record';
import { UPGRADES } from './upgrade-scenarios';
import { patience } from '../kit/deadlines';

const SOURCE_VERSIONS = SIMULATED_RELEASES[0].sources.map(({ version }) => version);

const DEADLINE_MS = patience(120_000);

interface Take {
  /** Of the histories. */
  folder: string;
  /** Version of the scenario's provider before. */
  from: string;
  scenario: Scenario;
}

const SERIES: Take[] = [
  ...SOURCE_VERSIONS.flatMap((from) =>
    [...UPGRADES, ...GUARDS, ...PREFLIGHTS].map((scenario) => ({ folder: from, from, scenario })),
  ),
  // Fleets, waves, ledgers and notices are the same whatever upgrades do.
  ...FLEETS.map((scenario) => ({ folder: 'fleet', from: '18.3', scenario })),
  ...LEDGERS.map((scenario) => ({ folder: 'ledger', from: '18.3', scenario })),
  ...NOTICES.map((scenario) => ({ folder: 'notice', from: '18.3', scenario })),
];

async function main(wanted: string[]): Promise<void> {
  const names = [...UPGRADES, ...GUARDS, ...PREFLIGHTS, ...FLEETS, ...LEDGERS, ...NOTICES].map(({ name }) => name);
  const unknown = wanted.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`No scenario ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  const series = SERIES.filter(({ scenario: { name } }) => wanted.length === 0 || wanted.includes(name));

  const recorded = new Map<string, History>();
  const rehearsal = await Rehearsal.start();
  try {
    for (const { folder, from, scenario } of series) {
      console.error(`${folder} ${scenario.name}`);
      for (const [state, history] of await run(rehearsal, from, scenario))
        recorded.set(`${onwardVersion()}/${folder}/${state}`, history);
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
