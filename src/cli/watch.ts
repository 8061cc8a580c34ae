/** Follows one upgrade until it is over, on a terminal that redraws or one that only appends. */
import { setTimeout as delay } from 'node:timers/promises';
import { paintFor, type CliContext } from './cli-context';
import { asCliError, CliError } from './cli-error';
import type { Screen } from './screen';
import { elapsed, formatDuration, formatTime } from './text/duration';
import { safeText } from './text/safe-text';
import type { Upgrades, UpgradeView } from './upgrades';
import { progressLines, waitingLines } from './views/change-lines';
import type { Calling } from './views/how-to-answer';
import { statusLines } from './views/status-view';
import { isOver } from './views/upgrade-state';

export interface WatchOptions {
  screen: Screen;
  /** Milliseconds between two looks at the upgrade. */
  intervalMs: number;
  calling: Calling;
  /** Lines about people stay on a terminal that redraws, too: commands can be copied only from what stands still. */
  keepWaiting?: boolean;
}

/** Redrawn this often, so that the elapsed times walk. */
const FRAME_MS = 500;

/**
 * The last view, once the upgrade is over. A server or worker that is away for a while is waited for.
 *
 * @throws CliError `notFound` when the upgrade is not there, `interrupted` at Ctrl-C.
 */
export async function watchUpgrade(
  upgrades: Upgrades,
  provider: string,
  context: CliContext,
  { screen, intervalMs, calling, keepWaiting = false }: WatchOptions,
): Promise<UpgradeView> {
  const paint = paintFor(context.stdout, context.env);
  const interrupted = context.interrupted();
  let view: UpgradeView | undefined;
  let away: { since: string; why: string } | undefined;

  const draw = (): void => {
    const now = context.now();
    const width = context.stdout.columns ?? 100;
    const lines = view === undefined ? [] : statusLines(view, { now, paint, width, calling });
    screen.draw(away === undefined ? lines : [...lines, '', paint.red(awayLine(away, now))]);
  };
  const tell = (next: UpgradeView): void => {
    const now = context.now();
    // Indented lines are commands to be copied.
    const stamped = (lines: string[]): string[] =>
      lines.map((line) => (line.startsWith(' ') ? line : `${formatTime(now.toISOString())}  ${line}`));
    screen.appendPlain(stamped(progressLines(view, next, now)));
    const waiting = stamped(waitingLines(view, next, calling));
    if (keepWaiting) screen.append(waiting);
    else screen.appendPlain(waiting);
  };
  const frames = setInterval(draw, FRAME_MS);
  try {
    for (;;) {
      try {
        const next = await upgrades.view(provider);
        if (away !== undefined) screen.append([`Answers again after ${lengthOf(away.since, context.now())}.`]);
        away = undefined;
        tell(next);
        view = next;
        draw();
        if (isOver(view)) return view;
      } catch (error) {
        const { kind, message } = asCliError(error);
        if (kind !== 'unreachable' && kind !== 'noWorker') throw error;
        if (away === undefined) screen.appendPlain([`${safeText(message)} Trying again.`]);
        away = { since: away?.since ?? context.now().toISOString(), why: message };
        draw();
      }
      await delay(intervalMs, undefined, { signal: interrupted }).catch(() => undefined);
      if (interrupted.aborted) {
        throw new CliError('interrupted', `No longer watching: the upgrade of ${provider} goes on.`);
      }
    }
  } finally {
    clearInterval(frames);
  }
}

const lengthOf = (since: string, now: Date): string => formatDuration(elapsed(since, undefined, now));
const awayLine = ({ since, why }: { since: string; why: string }, now: Date): string =>
  `${safeText(why)} For ${lengthOf(since, now)} now; what is shown is from before. Trying again.`;
