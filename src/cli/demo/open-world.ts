/** The demo's Temporal server with its state: that of the last run, or a new one. */
import path from 'node:path';
import { isClone, PACKAGE_ROOT } from '../../package-root';
import { findTemporalCli, NoTemporalCli, type TemporalCli } from '../../temporal/cli-binary';
import { localSettings } from '../../temporal/connection';
import { DevServerFailed, releaseState } from '../../temporal/state-owner';
import { SIMULATED_RELEASES } from '../../../workflows/releases';
import { defaultProviders } from '../../sandbox/world/defaults';
import { asCliError, CliError } from '../kit/cli-error';
import { connect } from '../kit/temporal/connect';
import { TemporalUpgrades } from '../upgrade/temporal-upgrades';
import type { Upgrades } from '../upgrade/upgrades';
import { DemoWorld, type WorldSettings } from './demo-world';
import { KeptServer } from './kept-server';
import type { DemoOptions } from './options';
import { freePorts, requireFree, USUAL_PORTS, type Ports } from './ports';

export interface OpenWorld {
  /** The command `temporal` that this demo uses. */
  cli: TemporalCli;
  world: DemoWorld;
  settings: WorldSettings;
  server: KeptServer;
  upgrades: Upgrades;
  /** The provider's upgrade is under way here already. */
  resumes: boolean;
  close(): Promise<void>;
}

/** What demos keep: in the clone, wherever in it they are started; beside a package, which belongs to npm. */
export const demoFolder = (): string => path.join(isClone() ? PACKAGE_ROOT : process.cwd(), '.onward');
/** Processes of a demo that was killed notice it at once, and need a moment to give back their ports. */
const PORT_PATIENCE_MS = 10_000;

/**
 * @throws CliError when there is no Temporal CLI, when ports are taken, when another demo runs in this clone, or when the
 * world that is there is not the one that was asked for.
 */
export async function openWorld(
  options: DemoOptions,
  provider: string,
  print: (line: string) => void,
): Promise<OpenWorld> {
  const cli = await temporalCli();
  const world = new DemoWorld(demoFolder());
  await requireAlone(world);
  if (options.fresh) await world.clear();
  for (;;) {
    const open = await openOnce(world, cli, options, provider, print);
    const summary = await found(open.upgrades, provider).catch(closing(open));
    if (summary === undefined || summary.execution === 'running' || summary.execution === 'pausedByServer') {
      return { ...open, resumes: summary !== undefined };
    }
    await requireNoOther(open.upgrades, provider).finally(() => open.close());
    print(`The upgrade of ${provider} in the last demo is over: beginning anew, in a new world.`);
    await world.clear();
  }
}

async function openOnce(
  world: DemoWorld,
  cli: TemporalCli,
  options: DemoOptions,
  provider: string,
  print: (line: string) => void,
): Promise<Omit<OpenWorld, 'resumes'>> {
  const kept = await world.settings();
  if (kept !== undefined) requireSame(kept, options, provider);
  const settings = kept ?? (await newSettings(options, provider));
  await requireFree(settings.ports, kept === undefined ? 0 : PORT_PATIENCE_MS);
  await world.make(settings);
  const { temporal: port, ui: uiPort } = settings.ports;
  const server = await KeptServer.start({ directory: world.temporal, port, uiPort, cli }, print);
  try {
    const upgrades = new TemporalUpgrades(await connect(localSettings(server.address)));
    const close = async (): Promise<void> => {
      await upgrades.close();
      await server.close();
    };
    return { world, settings, server, cli, upgrades, close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function newSettings(options: DemoOptions, provider: string): Promise<WorldSettings> {
  const ports = await portsFor(options);
  return { ports, sources: options.from === undefined ? {} : { [provider]: options.from } };
}

export async function portsFor(options: DemoOptions): Promise<Ports> {
  return {
    ...(options.freePorts ? await freePorts() : USUAL_PORTS),
    ...(options.port === undefined ? {} : { temporal: options.port }),
    ...(options.uiPort === undefined ? {} : { ui: options.uiPort }),
  };
}

/** What an upgrade has frozen cannot be changed under it. */
function requireSame({ ports, sources }: WorldSettings, options: DemoOptions, provider: string): void {
  const problems = [
    ...(options.port === undefined || options.port === ports.temporal
      ? []
      : [`its Temporal server has port ${ports.temporal}`]),
    ...(options.uiPort === undefined || options.uiPort === ports.ui ? [] : [`its Temporal UI has port ${ports.ui}`]),
    ...(options.from === undefined || options.from === (sources[provider] ?? USUAL_SOURCES[provider])
      ? []
      : [`its ${provider} starts from ${sources[provider] ?? USUAL_SOURCES[provider] ?? 'another version'}`]),
  ];
  if (problems.length === 0) return;
  throw new CliError('usage', 'The world of the last demo is another one:', {
    problems,
    hint: 'Leave these options out to go on with it, or begin anew with --fresh.',
  });
}

const USUAL_SOURCES: Partial<Record<string, string>> = Object.fromEntries(
  defaultProviders(SIMULATED_RELEASES).map(({ id, sourceVersion }) => [id, sourceVersion]),
);

export async function requireAlone(world: DemoWorld): Promise<void> {
  const owner = await releaseState(world.temporal).catch((error: unknown) => {
    throw error instanceof DevServerFailed ? new CliError('failure', error.message, { cause: error }) : error;
  });
  if (owner === undefined) return;
  throw new CliError('failure', `Another demo runs here: process ${owner}.`, {
    hint: 'Use it, or end it with Ctrl-C first.',
  });
}

async function requireNoOther(upgrades: Upgrades, provider: string): Promise<void> {
  const others = (await upgrades.running()).filter((upgrade) => upgrade.provider !== provider);
  if (others.length === 0) return;
  throw new CliError('failure', `The upgrade of ${provider} is over, and others run in this world:`, {
    problems: others.map((upgrade) => upgrade.provider),
    hint: 'Go on with one of them (--provider), or begin anew without them (--fresh).',
  });
}

async function found(upgrades: Upgrades, provider: string): Promise<{ execution: string } | undefined> {
  try {
    return await upgrades.summary(provider);
  } catch (error) {
    if (asCliError(error).kind === 'notFound') return undefined;
    throw error;
  }
}

const closing =
  (open: { close(): Promise<void> }) =>
  async (error: unknown): Promise<never> => {
    await open.close();
    throw error;
  };

export async function temporalCli(): Promise<TemporalCli> {
  try {
    return await findTemporalCli();
  } catch (error) {
    throw error instanceof NoTemporalCli ? new CliError('failure', error.message, { cause: error }) : error;
  }
}
