/** One upgrade in the sandbox of a project: started and answered by the command line, judged by the sandbox's journal. */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { JournalEntry } from '../../src/sandbox/journal';
import type { ProviderOptions } from '../../src/sandbox/world/spec';
import { until, type ComposeProject } from './project';

const LOOK_MS = 100;
const DEADLINE_MS = 10 * 60_000;
const PETRA = 'petra@csp.example';
const OLGA = 'olga@operations.example';

const gates = z.object({
  upgrades: z.array(
    z.object({
      gates: z.array(
        z.object({
          id: z.string(),
          step: z.string(),
          item: z.string().optional(),
          answer: z.object({ name: z.string(), payload: z.record(z.string(), z.string()) }),
        }),
      ),
      holds: z.array(z.object({ step: z.string(), problem: z.string() })),
    }),
  ),
});
const status = z.object({ execution: z.string(), status: z.object({ state: z.string() }) });

export type Moment = (entry: JournalEntry) => boolean;
export const effect =
  (...names: string[]): Moment =>
  ({ kind, name }) =>
    kind === 'effect' && names.includes(name);

/** What no upgrade may do twice, to the same object of the same provider or host. */
const ONCE = [
  'templateDeactivated',
  'setupRan',
  'packageImported',
  'instanceUpgradeStarted',
  'instanceUpgraded',
  'consentGiven',
  'templateActivated',
];

export class Upgrade {
  constructor(
    private readonly project: ComposeProject,
    readonly provider: string,
  ) {}

  /** Adds a provider to the sandbox; its entry is written when the sandbox starts the next time. */
  static async add(project: ComposeProject, options: ProviderOptions): Promise<void> {
    await sim(project, 'providers', { method: 'POST', body: JSON.stringify(options) });
  }

  async start(): Promise<void> {
    await this.project.onward('start', this.provider, '--by', OLGA);
  }

  /** Comes back with the entry of the journal that shows the moment. */
  async reaches(moment: Moment, { after = 0, deadlineMs = DEADLINE_MS } = {}): Promise<JournalEntry> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const entries = await journal(this.project, after);
      const found = entries.find((entry) => this.isOwn(entry) && moment(entry));
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`${this.provider} has not come on after ${deadlineMs / 1000} s.`);
      await delay(LOOK_MS);
    }
  }

  /** Waits until people are asked. Returns the ids of the open gates. */
  async asksPeople(isMeant: (open: string[]) => boolean = () => true): Promise<string[]> {
    let open: string[] = [];
    await until(DEADLINE_MS, `${this.provider} asks people`, async () => {
      open = (await this.gates()).map(({ id }) => id);
      return open.length > 0 && isMeant(open) ? true : `open are ${open.join() || 'none'}`;
    });
    return open;
  }

  /** Answers every gate that is open now. */
  async answer(): Promise<void> {
    for (const { step, item, answer } of await this.gates()) {
      if (answer.name === 'consentCompleted')
        await this.project.onward('consent', this.provider, answer.payload['instance'] ?? '', '--by', PETRA);
      else if (answer.name === 'confirmStep')
        await this.project.onward(
          ...['confirm', this.provider, step, ...(item === undefined ? [] : ['--item', item])],
          ...['--evidence', 'compose-check', '--by', OLGA],
        );
      else throw new Error(`${this.provider} asks for ${answer.name}, which nobody here answers.`);
    }
  }

  /** Answers what comes until the upgrade is over. @throws unless it has completed, with nothing done twice. */
  async complete(): Promise<void> {
    await until(DEADLINE_MS, `the upgrade of ${this.provider} completes`, async () => {
      const { execution, status: own } = status.parse(await this.project.quickOnward('status', this.provider));
      if (execution === 'completed' && own.state === 'completed') return true;
      if (execution !== 'running') throw new Error(`The upgrade of ${this.provider} is over: ${own.state}.`);
      await this.answer();
      return own.state;
    });
    await this.judge();
  }

  private async judge(): Promise<void> {
    // A setup.cmd that was cut off has left some files only: it has to run again.
    const done = (await journal(this.project)).filter(
      (entry) => this.isOwn(entry) && effect(...ONCE)(entry) && entry.detail?.['files'] !== 'some',
    );
    const counted = new Map<string, number>();
    for (const { name, object = '' } of done)
      counted.set(`${name} ${object}`, (counted.get(`${name} ${object}`) ?? 0) + 1);
    const twice = [...counted].filter(([, count]) => count > 1);
    if (twice.length > 0)
      throw new Error(`${this.provider}: ${twice.map(([what, n]) => `${what} ${n} times`).join(', ')}`);
    const imports = done.filter(effect('packageImported'));
    if (imports.length !== 1) throw new Error(`${this.provider} has ${imports.length} imports.`);
    const off = done.filter(effect('templateDeactivated')).length;
    const on = done.filter(effect('templateActivated')).length;
    if (off === 0 || on !== off)
      throw new Error(`${this.provider}: ${off} templates were switched off, ${on} on again.`);
  }

  private async gates(): Promise<z.output<typeof gates>['upgrades'][number]['gates']> {
    const [waiting] = gates.parse(await this.project.quickOnward('gates', this.provider)).upgrades;
    const [hold] = waiting?.holds ?? [];
    if (hold !== undefined) throw new Error(`${this.provider} holds in ${hold.step}: ${hold.problem}`);
    return waiting?.gates ?? [];
  }

  /** A host's entries name no provider; one upgrade runs at a time. */
  private isOwn({ provider, host }: JournalEntry): boolean {
    return provider === this.provider || (provider === undefined && host !== undefined);
  }
}

/** Waits for a sandbox that is just being started, as after a restart of its engine. */
export async function journal(project: ComposeProject, after = 0): Promise<JournalEntry[]> {
  let entries: JournalEntry[] = [];
  await until(DEADLINE_MS, 'the sandbox shows its journal', async () => {
    try {
      entries = (await sim(project, `journal?after=${after}`)) as JournalEntry[];
      return true;
    } catch (error) {
      // That is how `fetch` says that nobody answers.
      if (error instanceof TypeError) return String(error.cause);
      throw error;
    }
  });
  return entries;
}

async function sim(project: ComposeProject, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(`_sim/${path}`, project.sandboxUrl), {
    ...init,
    ...(init.body === undefined ? {} : { headers }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`The sandbox answers ${response.status} to ${path}: ${await response.text()}`);
  return response.json();
}
