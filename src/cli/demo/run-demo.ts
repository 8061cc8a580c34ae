/** `onward demo`: a whole world on this machine, one upgrade in it, and how it went. */
import { writeFile } from 'node:fs/promises';
import { SIMULATED_RELEASES } from '../../../workflows/releases';
import { findProvider } from '../../inventory/inventory';
import { DEFAULT_IDS, defaultProviders } from '../../sandbox/world/defaults';
import { CliError } from '../kit/cli-error';
import { type Calling, callingOf, type CliContext, whoIs } from '../kit/context';
import { asMarkdown, asText } from '../kit/documents/document';
import { withScreen, type Screen } from '../kit/screen';
import { safeJson } from '../kit/text/safe-text';
import { onwardVersion } from '../kit/version';
import { watch } from '../kit/watch';
import { requireCompleted } from '../upgrade/end-of-upgrade';
import { evidenceDocument, outcomeDocument } from '../upgrade/evidence-document';
import { evidencePack, type EvidencePack } from '../upgrade/evidence-pack';
import type { UpgradeView } from '../upgrade/upgrades';
import { watchedUpgrade } from '../upgrade/watched-upgrade';
import { Companions } from './companions';
import { answerGates, workForGates } from './gate-work';
import { openWorld, type OpenWorld } from './open-world';
import type { DemoOptions } from './options';
import { USUAL_PORTS } from './ports';

/** Milliseconds between two looks at the upgrade: on this machine things happen fast. */
const INTERVAL_MS = 500;

/**
 * Comes back when the upgrade is over.
 *
 * @throws CliError when the upgrade did not complete, when something of the world could not be started, or at Ctrl-C.
 */
export async function runDemo(context: CliContext, options: DemoOptions): Promise<void> {
  requireSource(options.from);
  const interrupted = context.interrupted();
  const silent = options.json === true;
  const { view, pack } = await withScreen(context.stdout, silent, async (screen) => {
    const closers: (() => Promise<void>)[] = [];
    try {
      return await new Demo(context, options, screen, closers).perform();
    } catch (error) {
      if (!interrupted.aborted) throw error;
      throw new CliError('interrupted', 'The demo is interrupted, its upgrade waits.', {
        hint: 'The same command goes on with it.',
        cause: error,
      });
    } finally {
      if (closers.length > 0) screen.append(['Ending everything that was started ...']);
      for (const close of closers.reverse()) await close();
    }
  });
  context.stdout.write(silent ? `${safeJson(pack, 2)}\n` : `\n${asText(outcomeDocument(pack))}\n`);
  requireCompleted(view);
}

function requireSource(from: string | undefined): void {
  const sources = [...new Set(SIMULATED_RELEASES.flatMap((release) => release.sources.map(({ version }) => version)))];
  if (from === undefined || sources.includes(from)) return;
  throw new CliError('usage', `No simulated provider starts from ${from}.`, {
    hint: `It may be ${sources.join(', ')}.`,
  });
}

/** The provider that starts from this version of its own accord, or else the first. */
function usualProvider(from: string | undefined): string {
  const all = defaultProviders(SIMULATED_RELEASES);
  return (all.find(({ sourceVersion }) => sourceVersion === from) ?? all[0])?.id ?? DEFAULT_IDS[0];
}

class Demo {
  private readonly provider: string;
  private readonly print: (line: string) => void;

  constructor(
    private readonly context: CliContext,
    private readonly options: DemoOptions,
    private readonly screen: Screen,
    /** What has to be ended, in the order in which it was started. */
    private readonly closers: (() => Promise<void>)[],
  ) {
    this.provider = options.provider ?? usualProvider(options.from);
    this.print = (line) => screen.append([line]);
  }

  async perform(): Promise<{ view: UpgradeView; pack: EvidencePack }> {
    const { provider, print, screen, context } = this;
    const open = await openWorld(this.options, provider, print);
    this.closers.push(() => open.close());
    this.throwIfInterrupted();
    await this.startCompanions(open);
    await this.startUpgrade(open);
    this.introduce(open);
    const view = await this.withGateWork(open, () =>
      watch(watchedUpgrade(open.upgrades, provider), context, {
        screen,
        intervalMs: INTERVAL_MS,
        calling: this.callingOf(open),
        keepWaiting: true,
      }),
    );
    return { view, pack: await this.report(open, view) };
  }

  /** Between two things that take time: Ctrl-C takes effect here. */
  private throwIfInterrupted(): void {
    if (this.context.interrupted().aborted) throw new Error('interrupted');
  }

  private async startCompanions(open: OpenWorld): Promise<void> {
    const { world, settings, server } = open;
    const { ports, sources } = settings;
    const companions = new Companions(this.context, world, server.address, this.print, this.closers);
    this.print('Starting the sandbox ...');
    const chosen = Object.entries(sources).flatMap(([provider, version]) => ['--source', `${provider}=${version}`]);
    await companions.startSandbox(ports, this.options.pace, chosen);
    this.throwIfInterrupted();
    this.print('Starting the workers ...');
    const { endpointHosts } = await findProvider(world.inventory, this.provider);
    await Promise.all([
      companions.startControlPlane(),
      ...endpointHosts.map(({ name }) =>
        companions.start({
          name: `worker of ${name}`,
          log: `worker-${name}`,
          args: ['worker', '--host', name, '--sandbox', `http://127.0.0.1:${ports.control}/`],
        }),
      ),
    ]);
    this.throwIfInterrupted();
  }

  private async startUpgrade({ upgrades, resumes }: OpenWorld): Promise<void> {
    const { provider, context, options } = this;
    if (resumes) {
      this.print(`Going on with the upgrade of ${provider}.`);
      return;
    }
    const startedBy = whoIs(options.by, context.env);
    await upgrades.start({ provider, startedBy });
    this.print(`Started the upgrade of ${provider}, as ${startedBy}.`);
  }

  private async withGateWork<T>({ upgrades, settings }: OpenWorld, run: () => Promise<T>): Promise<T> {
    const { provider, print } = this;
    const over = new AbortController();
    const controlUrl = `http://127.0.0.1:${settings.ports.control}/_sim/providers/${provider}/`;
    const options = { upgrades, print, signal: over.signal };
    const work = this.options.auto
      ? answerGates({ ...options, provider, controlUrl })
      : workForGates({ ...options, providers: async () => [provider], controlUrl: () => controlUrl });
    try {
      return await run();
    } finally {
      over.abort();
      await work;
    }
  }

  private introduce({ server, world, cli }: OpenWorld): void {
    const workflow = `${server.uiUrl ?? ''}/namespaces/default/workflows/${encodeURIComponent(`upgrade/${this.provider}`)}`;
    this.screen.append([
      `Temporal UI: ${workflow}`,
      `Logs: ${world.logs}`,
      ...(this.options.auto
        ? []
        : [
            'Gates are yours: each one is shown with the commands that answer it. What it asks for is done for you in the',
            'sandbox; you only say that it is done.',
            ...(cli.source === 'PATH' ? [] : [`The command temporal: alias temporal=${cli.path}`]),
          ]),
      'Ctrl-C ends everything; the same command goes on with the same upgrade.',
      '',
    ]);
  }

  /** The commands that we show have to find this server, not the user's usual one. */
  private callingOf({ server, settings }: OpenWorld): Calling {
    const usual =
      settings.ports.temporal === USUAL_PORTS.temporal && this.context.env['TEMPORAL_ADDRESS'] === undefined;
    return callingOf(this.context, usual ? {} : { address: server.address, namespace: 'default' });
  }

  private async report({ upgrades, world }: OpenWorld, view: UpgradeView): Promise<EvidencePack> {
    const { provider, context } = this;
    const audit = await upgrades.audit(provider);
    const record = await upgrades.record(provider);
    const pack = evidencePack(view.status, audit, record, { now: context.now(), onwardVersion: onwardVersion() });
    const file = world.report(provider);
    await writeFile(file, asMarkdown(evidenceDocument(pack)));
    this.print(`The whole report is in ${file}.`);
    return pack;
  }
}
