/**
 * `npm run compose-check`: docker-compose.yml on this machine's container engine, to completed upgrades, through kills of everything. It has
 * a project of its own, and takes down what it made; only the image of Onward stays.
 */
import { Command } from 'commander';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { ComposeProject, NoEngine } from './project';
import { scenarios, type Scenario } from './scenarios';
import { Upgrade } from './upgrade';

const HEALTHY_MS = 15 * 60_000;

const options = new Command('compose-check')
  .description('Runs docker-compose.yml where there is a container engine, and breaks it.')
  .option('--only <text>', 'only scenarios whose names contain this', '')
  .option('--no-build', 'with the image that is there')
  .option('--restart-engine <command>', 'also restart the engine, with this command')
  .parse()
  .opts<{ only: string; build: boolean; restartEngine?: string }>();

/** One for each scenario: it is upgraded once. */
const providerOf = (index: number, special: Partial<ProviderOptions> = {}): ProviderOptions => ({
  id: `check-${index + 1}`,
  instances: 2,
  gateways: [{ host: 'gw-host-01' }],
  openTasks: 1,
  ...special,
});

const interrupted = new AbortController();

async function check(project: ComposeProject): Promise<boolean> {
  const chosen = scenarios(options).filter(({ name }) => name.includes(options.only));
  if (chosen.length === 0) throw new Error(`No scenario's name contains "${options.only}".`);
  const began = Date.now();
  await project.compose('up', '--detach', ...(options.build ? ['--build'] : []));
  await project.healthy(HEALTHY_MS);
  say('everything is healthy', `after ${seconds(Date.now() - began)}${options.build ? ', the build included' : ''}`);
  for (const [index, { provider }] of chosen.entries()) await Upgrade.add(project, providerOf(index, provider));
  // It writes the entries when it starts.
  await project.compose('restart', 'sandbox');
  await project.healthy(HEALTHY_MS);

  let failed = 0;
  for (const [index, scenario] of chosen.entries()) failed += (await succeeds(project, scenario, index)) ? 0 : 1;
  for (const [service, mebibytes] of await project.memory()) say(`memory of ${service}`, `${mebibytes.toFixed(0)} MiB`);
  say(`${chosen.length} scenarios`, `${failed} failed, in ${seconds(Date.now() - began)}`);
  return failed === 0;
}

async function succeeds(project: ComposeProject, { name, play }: Scenario, index: number): Promise<boolean> {
  try {
    say(`ok    ${name}`, await play(project, providerOf(index).id));
    return true;
  } catch (error) {
    if (interrupted.signal.aborted) throw error;
    say(`FAIL  ${name}`, error instanceof Error ? error.message : String(error));
    // The next one begins with everything running.
    await project.compose('up', '--detach');
    await project.healthy(HEALTHY_MS);
    return false;
  }
}

const say = (what: string, how: string): void => console.log(`${what}: ${how}`);
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(0)} s`;

async function main(): Promise<void> {
  const project = await ComposeProject.open(`onward-check-${process.pid}`);
  say('Compose', `${project.version}, project ${project.name}`);
  let removal: Promise<void> | undefined;
  const remove = (): Promise<void> => (removal ??= project.remove());
  process.once('SIGINT', () => {
    console.error('Interrupted: removing what was made.');
    interrupted.abort();
    void remove().finally(() => process.exit(130));
  });
  try {
    if (!(await check(project))) process.exitCode = 1;
  } finally {
    await remove();
  }
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  if (error instanceof NoEngine)
    console.error(`Nothing was checked. No container engine can be used here: ${error.message}.`);
  else console.error(error);
});
