/** `onward demo --fleet`: a whole world on this machine, a fleet of upgrades in it, and how it went. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { FleetInput } from '../../contract/fleet';
import type { MessageName, Messages } from '../../contract/messages';
import type { FaultRule } from '../../sandbox/faults';
import { runFleetOperator } from '../../sandbox/fleet-operator';
import { SIMULATED_RELEASES } from '../../../workflows/releases';
import { fleetOfProviders } from '../../sandbox/world/fleet';
import { localSettings } from '../../temporal/connection';
import type { Fleets } from '../fleet/fleets';
import type { FleetLook } from '../fleet/look';
import { readReport, type FleetReport } from '../fleet/report';
import { summarySection, wavesSection, notUpgradedSection } from '../fleet/report-document';
import { reportPage } from '../fleet/report-page';
import { TemporalFleets } from '../fleet/temporal-fleets';
import { watchedFleet } from '../fleet/watched-fleet';
import { CliError } from '../kit/cli-error';
import { callingOf, whoIs, type CliContext } from '../kit/context';
import { asText } from '../kit/documents/document';
import { withScreen, type Screen } from '../kit/screen';
import { connect } from '../kit/temporal/connect';
import { safeJson } from '../kit/text/safe-text';
import { onwardVersion } from '../kit/version';
import { watch } from '../kit/watch';
import { Companions } from './companions';
import { DemoWorld } from './demo-world';
import { KeptServer } from './kept-server';
import { demoFolder, portsFor, requireAlone, temporalCli } from './open-world';
import type { DemoOptions } from './options';
import { requireFree } from './ports';

type FleetDemoOptions = DemoOptions & { fleet: number };

const INTERVAL_MS = 1000;
/** So often the operator looks who waits, and so long a gate stays open at least. */
const OPERATOR_MS = 1000;
const FLEET = 'demo';
/** Upgrades at once: as many as two cores are kept busy by. */
const MAX_PARALLEL = 8;
/** Of each wave, and of the fleet: one more than go wrong here. */
const BUDGET = 3;

/**
 * Comes back when everybody is upgraded.
 *
 * @throws CliError when somebody is not, when something of the world could not be started, or at Ctrl-C.
 */
export async function runFleetDemo(context: CliContext, options: FleetDemoOptions): Promise<void> {
  if (!options.auto) {
    throw new CliError('usage', 'A fleet has more gates than one person wants to answer: give --auto with --fleet.');
  }
  const interrupted = context.interrupted();
  await withScreen(context.stdout, options.json === true, async (screen) => {
    const closers: (() => Promise<void>)[] = [];
    try {
      await new FleetDemo(context, options, screen, closers).perform();
    } catch (error) {
      if (!interrupted.aborted) throw error;
      throw new CliError('interrupted', 'The demo is interrupted. The next one begins anew.', { cause: error });
    } finally {
      if (closers.length > 0) screen.append(['Ending everything that was started ...']);
      for (const close of closers.reverse()) await close();
    }
  });
}

/** The fleet's providers are on versions that this release starts from. */
const [RELEASE] = SIMULATED_RELEASES;

class FleetDemo {
  private readonly world = new DemoWorld(path.join(demoFolder(), 'fleet'));
  private readonly print = (line: string): void => this.screen.append([line]);

  constructor(
    private readonly context: CliContext,
    private readonly options: FleetDemoOptions,
    private readonly screen: Screen,
    /** What has to be ended, in the order in which it was started. */
    private readonly closers: (() => Promise<void>)[],
  ) {}

  async perform(): Promise<void> {
    const { context, options } = this;
    const { fleets, server, sim } = await this.open();
    const startedBy = whoIs(options.by, context.env);
    const link = (fleet: string): string =>
      `${server.uiUrl ?? ''}/namespaces/default/workflows/${encodeURIComponent(`fleet/${fleet}`)}`;
    await this.breakSome(sim);
    const request: FleetInput = {
      name: FLEET,
      startedBy,
      providers: { all: true },
      maxParallel: MAX_PARALLEL,
      budget: { wave: BUDGET, run: BUDGET },
    };
    await fleets.start(request);
    this.screen.append([`Started the fleet ${FLEET} as ${startedBy}.`, `Temporal UI: ${link(FLEET)}`, '']);
    const reports = await this.withOperator(fleets, sim, async () => {
      const first = await this.follow(fleets, FLEET, server.address);
      const failed = await this.failedOf(fleets, first);
      if (failed.length === 0) return [FLEET];
      const again = `${FLEET}-again`;
      this.print(`Rolled back: ${failed.join(', ')}. The cause is repaired; they go into a fleet of their own.`);
      await fleets.start({ ...request, name: again, providers: { ids: failed } });
      await this.follow(fleets, again, server.address);
      return [FLEET, again];
    });
    const report = await this.report(fleets, reports);
    this.screen.append([
      `The whole report: ${this.page(FLEET)}`,
      `Temporal UI: ${link(FLEET)}${options.stay ? '' : ' (with --stay it stays up)'}`,
    ]);
    if (options.stay) {
      this.print('Everything stays up until Ctrl-C.');
      const interrupted = context.interrupted();
      if (!interrupted.aborted) await once(interrupted, 'abort');
    }
    requireEverybody(report, options.fleet);
  }

  private async open(): Promise<{ fleets: Fleets; server: KeptServer; sim: string }> {
    const { world, options, context, print, closers } = this;
    const cli = await temporalCli();
    await requireAlone(world);
    await world.clear();
    const ports = await portsFor(options);
    await requireFree(ports);
    await world.make({ ports, sources: {} });
    print(`Starting a Temporal server, a sandbox with ${options.fleet} providers, and the workers ...`);
    const { temporal: port, ui: uiPort } = ports;
    const server = await KeptServer.start({ directory: world.temporal, port, uiPort, cli }, print);
    closers.push(() => server.close());
    const fleets = new TemporalFleets(await connect(localSettings(server.address)));
    closers.push(() => fleets.close());
    const companions = new Companions(context, world, server.address, print, closers);
    await companions.startSandbox(ports, options.pace, ['--fleet', `${options.fleet}`, '--workers']);
    await companions.startControlPlane();
    return { fleets, server, sim: `http://127.0.0.1:${ports.control}/_sim/` };
  }

  /** One provider fails before its crossing and is rolled back, another one holds past it. Both are in the last wave. */
  private async breakSome(sim: string): Promise<void> {
    const ids = fleetOfProviders(this.options.fleet, RELEASE).map(({ id }) => id);
    const [rolledBack, held] = [ids.at(-2), ids.at(-1)];
    const faults: Omit<FaultRule, 'id'>[] = [
      { provider: rolledBack, system: 'operations', call: 'pem.deactivateST', kind: 'fault' },
      { provider: held, system: 'operations', call: 'pem.APS.importPackage', kind: 'fault' },
    ];
    for (const fault of faults) {
      const body = JSON.stringify(fault);
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(new URL('faults', sim), { method: 'POST', headers, body });
      if (!response.ok) throw new Error(`The sandbox refused a fault: ${await response.text()}`);
    }
    this.print(`${rolledBack} is going to fail before its point of no return, and ${held} at it.`);
  }

  private async withOperator<T>(fleets: Fleets, sim: string, run: () => Promise<T>): Promise<T> {
    const { upgrades } = fleets;
    const over = new AbortController();
    const work = runFleetOperator({
      waiting: async () => {
        const found = [await fleets.waiting(FLEET, 1000), await fleets.waiting(`${FLEET}-again`, 1000)];
        return found.flatMap((each) => each.upgrades.map(({ provider }) => provider));
      },
      upgrade: (provider) => ({
        query: async () => (await upgrades.view(provider)).status,
        signal: (name, payload) =>
          upgrades.messages.sendWithoutWaiting({ provider }, name as MessageName, payload as Messages[MessageName]),
      }),
      controlUrl: (provider) => new URL(`providers/${provider}/`, sim).href,
      resolves: ({ actions }) => (actions.includes('retry') ? 'retry' : undefined),
      delayMs: OPERATOR_MS,
      everyMs: OPERATOR_MS,
      onEvent: (provider, event) => {
        if (event.kind === 'resolved')
          this.print(`${provider}: ${event.step} is repaired, and told to ${event.action}.`);
      },
      signal: over.signal,
    });
    try {
      return await Promise.race([run(), work.then(() => Promise.reject(new Error('The operator went home.')))]);
    } finally {
      over.abort();
      await work;
    }
  }

  private async follow(fleets: Fleets, name: string, address: string): Promise<FleetLook> {
    const calling = callingOf(this.context, { address, namespace: 'default' });
    return watch(await watchedFleet(fleets, name, this.context), this.context, {
      screen: this.screen,
      intervalMs: INTERVAL_MS,
      calling,
    });
  }

  private async failedOf(fleets: Fleets, { status }: FleetLook): Promise<string[]> {
    const providers = await fleets.providers(status);
    return providers.filter(({ state }) => state === 'failed').map(({ provider }) => provider);
  }

  private page(fleet: string): string {
    return path.join(demoFolder(), `fleet-${fleet}.html`);
  }

  /** A page for each fleet; returns the report of the first. */
  private async report(fleets: Fleets, names: string[]): Promise<FleetReport> {
    const about = { now: this.context.now(), onwardVersion: onwardVersion() };
    const reports = await Promise.all(names.map((name) => readReport(fleets, name, about)));
    for (const report of reports) await writeFile(this.page(report.fleet), reportPage(report));
    const [first] = reports as [FleetReport, ...FleetReport[]];
    const { context, options } = this;
    if (options.json) context.stdout.write(`${safeJson(reports, 2)}\n`);
    const sections = [summarySection(first), wavesSection(first), notUpgradedSection(first)];
    this.screen.append(['', asText({ title: `Fleet ${first.fleet}`, sections })]);
    return first;
  }
}

/** Those that failed are upgraded by a later start, which the report knows of. */
function requireEverybody({ providers }: FleetReport, expected: number): void {
  const left = providers.filter(({ state, since }) => state !== 'completed' && since?.execution !== 'completed');
  if (left.length === 0 && providers.length === expected) return;
  throw new CliError('failure', `${expected - providers.length + left.length} of ${expected} were not upgraded:`, {
    problems: left.map(({ provider, problem = 'not known why' }) => `${provider}: ${problem}`),
  });
}
