/** Who does the work behind the demo's gates: what a person would do in screens that exist here only as an API. */
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageName, Messages } from '../../contract/messages';
import { isUndoing, ManualWork } from '../../sandbox/manual-work';
import { runOperator } from '../../sandbox/operator';
import { asCliError } from '../kit/cli-error';
import { safeText } from '../kit/text/safe-text';
import type { Upgrades } from '../upgrade/upgrades';

export interface GateWorkOptions {
  upgrades: Upgrades;
  provider: string;
  /** `.../_sim/providers/<provider>/` */
  controlUrl: string;
  print: (line: string) => void;
  /** Sends everybody home. */
  signal: AbortSignal;
}

const LOOK_MS = 500;
/** So long a gate stays open under `--auto`: long enough to be seen. */
const ANSWER_AFTER_MS = 1500;

/** Does the work and answers, as the sandbox's operator. */
export async function answerGates({ upgrades, provider, controlUrl, print, signal }: GateWorkOptions): Promise<void> {
  await runOperator({
    upgrade: {
      query: async () => (await upgrades.view(provider)).status,
      signal: (name, payload) =>
        upgrades.messages.sendWithoutWaiting({ provider }, name as MessageName, payload as Messages[MessageName]),
    },
    controlUrl,
    delayMs: ANSWER_AFTER_MS,
    everyMs: LOOK_MS,
    signal,
    onEvent: (event) => {
      if (event.kind === 'answered') print(`${event.by} does what ${event.gate} asks for, and sends ${event.message}.`);
    },
  });
}

export interface WorkOptions extends Pick<GateWorkOptions, 'upgrades' | 'print' | 'signal'> {
  /** Whose gates; asked before each look. */
  providers: () => Promise<string[]>;
  /** `.../_sim/providers/<provider>/` */
  controlUrl: (provider: string) => string;
}

/**
 * Does the work and leaves the answers to the person at the terminal. Without it, no answer would stand: the sandbox is
 * looked at as a real system is.
 */
export async function workForGates({ upgrades, providers, controlUrl, print, signal }: WorkOptions): Promise<void> {
  const done = new Set<string>();
  let problem: string | undefined;
  while (!signal.aborted) {
    try {
      for (const provider of await providers()) {
        const { status } = await upgrades.view(provider);
        const work = new ManualWork(controlUrl(provider));
        for (const gate of status.gates) {
          const key = `${provider} ${gate.id} ${gate.openedAt}`;
          if (!done.has(key) && 'evidence' in (await work.for(gate, isUndoing(status, gate.step)))) done.add(key);
        }
      }
      problem = undefined;
    } catch (error) {
      // A worker, the server or the sandbox may be away for a while: the next look finds out.
      const { message } = asCliError(error);
      if (message !== problem) print(`The work behind a gate has to wait: ${safeText(message)}`);
      problem = message;
    }
    await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
