/** Follows something on the server until it is over, on a terminal that redraws or one that only appends. */
import { setTimeout as delay } from 'node:timers/promises';
import { paintFor, type CliContext } from './context';
import { asCliError, CliError } from './cli-error';
import type { Screen } from './screen';
import { elapsed, formatDuration, formatTime } from './text/duration';
import { safeText } from './text/safe-text';
import type { Upgrades, UpgradeView } from '../upgrade/upgrades';
import { progressLines, waitingLines } from '../upgrade/change-lines';
import type { Calling } from './messages/how-to-answer';
import { statusLines } from '../upgrade/status-view';
import { isOver } from '../upgrade/upgrade-state';

export interface WatchOptions {
  screen: Screen;
  /** Milliseconds between two looks. */
  intervalMs: number;
  calling: Calling;
  /** Lines about people stay on a terminal that redraws, too: commands can be copied only from what stands still. */
  keepWaiting?: boolean;
}

/** What is followed, by what a look at it gives. */
export interface Watched<View> {
  look(): Promise<View>;
  isOver(view: View): boolean;
  /** All of it, for a terminal that redraws. */
  lines(view: View, now: Date): string[];
  /** What has changed, for one that appends: `done` is on the terminal that redraws anyway, `asked` is for people to act on. */
  changes(before: View | undefined, next: View, now: Date): { done: string[]; asked: string[] };
  /** For whoever stops watching: `the upgrade of contoso goes on`. */
  goesOn: string;
}

/** Redrawn this often, so that the elapsed times walk. */
const FRAME_MS = 500;

/** The last view, once the upgrade is over. Throws as {@link watch} does. */
export async function watchUpgrade(
  upgrades: Upgrades,
  provider: string,
  context: CliContext,
  options: WatchOptions,
): Promise<UpgradeView> {
  const { calling } = options;
  const paint = paintFor(context.stdout, context.env);
  const width = context.stdout.columns ?? 100;
  const watched: Watched<UpgradeView> = {
    look: () => upgrades.view(provider),
    isOver,
    lines: (view, now) => statusLines(view, { now, paint, width, calling }),
    changes: (before, next, now) => ({
      done: progressLines(before, next, now),
      asked: waitingLines(before, next, calling),
    }),
    goesOn: `the upgrade of ${provider} goes on`,
  };
  return watch(watched, context, options);
}

/**
 * The last view, once it is over. A server or worker that is away for a while is waited for.
 *
 * @throws CliError `notFound` when there is nothing to follow, `interrupted` at Ctrl-C.
 */
export async function watch<View>(
  watched: Watched<View>,
  context: CliContext,
  { screen, intervalMs, keepWaiting = false }: WatchOptions,
): Promise<View> {
  const paint = paintFor(context.stdout, context.env);
  const interrupted = context.interrupted();
  let view: View | undefined;
  let away: { since: string; why: string } | undefined;

  const draw = (): void => {
    const now = context.now();
    const lines = view === undefined ? [] : watched.lines(view, now);
    screen.draw(away === undefined ? lines : [...lines, '', paint.red(awayLine(away, now))]);
  };
  const tell = (next: View): void => {
    const now = context.now();
    // Indented lines are commands to be copied.
    const stamped = (lines: string[]): string[] =>
      lines.map((line) => (line.startsWith(' ') ? line : `${formatTime(now.toISOString())}  ${line}`));
    const { done, asked } = watched.changes(view, next, now);
    screen.appendPlain(stamped(done));
    if (keepWaiting) screen.append(stamped(asked));
    else screen.appendPlain(stamped(asked));
  };
  const frames = setInterval(draw, FRAME_MS);
  try {
    for (;;) {
      try {
        const next = await watched.look();
        if (away !== undefined) screen.append([`Answers again after ${lengthOf(away.since, context.now())}.`]);
        away = undefined;
        tell(next);
        view = next;
        draw();
        if (watched.isOver(view)) return view;
      } catch (error) {
        const { kind, message } = asCliError(error);
        if (kind !== 'unreachable' && kind !== 'noWorker') throw error;
        if (away === undefined) screen.appendPlain([`${safeText(message)} Trying again.`]);
        away = { since: away?.since ?? context.now().toISOString(), why: message };
        draw();
      }
      await delay(intervalMs, undefined, { signal: interrupted }).catch(() => undefined);
      if (interrupted.aborted) throw new CliError('interrupted', `No longer watching: ${watched.goesOn}.`);
    }
  } finally {
    clearInterval(frames);
  }
}

const lengthOf = (since: string, now: Date): string => formatDuration(elapsed(since, undefined, now));
const awayLine = ({ since, why }: { since: string; why: string }, now: Date): string =>
  `${safeText(why)} For ${lengthOf(since, now)} now; what is shown is from before. Trying again.`;
