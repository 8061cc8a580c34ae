/** Follows something on the server until it is over, on a terminal that redraws or one that only appends. */
import { setTimeout as delay } from 'node:timers/promises';
import { asCliError, CliError } from './cli-error';
import { displayFor, type Calling, type CliContext, type Display } from './context';
import { isOver, type ExecutionStatus } from './execution';
import { withScreen, type Screen } from './screen';
import { elapsed, formatDuration, formatTime } from './text/duration';
import { safeText } from './text/safe-text';

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
  view(): Promise<View>;
  /** All of it, for a terminal that redraws. */
  lines(view: View, display: Display): string[];
  /** What has changed, for one that appends: `done` is on the terminal that redraws anyway, `asked` is for people to act on. */
  changes(before: View | undefined, next: View, display: Display): { done: string[]; asked: string[] };
  /** For whoever stops watching: `the upgrade of contoso goes on`. */
  goesOn: string;
}

/** Redrawn this often, so that the elapsed times walk. */
const FRAME_MS = 500;

/**
 * The last view, once it is over. A server or worker that is away for a while is waited for.
 *
 * @throws CliError `notFound` when there is nothing to follow, `interrupted` at Ctrl-C.
 */
export async function watch<View extends { execution: ExecutionStatus }>(
  watched: Watched<View>,
  context: CliContext,
  { screen, intervalMs, calling, keepWaiting = false }: WatchOptions,
): Promise<View> {
  const interrupted = context.interrupted();
  let view: View | undefined;
  let away: { since: string; why: string } | undefined;

  const draw = (): void => {
    const display = displayFor(context, calling);
    const lines = view === undefined ? [] : watched.lines(view, display);
    screen.draw(away === undefined ? lines : [...lines, '', display.paint.red(awayLine(away, display.now))]);
  };
  const append = (next: View): void => {
    const display = displayFor(context, calling);
    // Indented lines are commands to be copied.
    const stamped = (lines: string[]): string[] =>
      lines.map((line) => (line.startsWith(' ') ? line : `${formatTime(display.now.toISOString())}  ${line}`));
    const { done, asked } = watched.changes(view, next, display);
    screen.appendPlain(stamped(done));
    if (keepWaiting) screen.append(stamped(asked));
    else screen.appendPlain(stamped(asked));
  };
  const frames = setInterval(draw, FRAME_MS);
  try {
    for (;;) {
      try {
        const next = await watched.view();
        if (away !== undefined) screen.append([`Answers again after ${lengthOf(away.since, context.now())}.`]);
        away = undefined;
        append(next);
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
      if (interrupted.aborted) throw new CliError('interrupted', `No longer watching: ${watched.goesOn}.`);
    }
  } finally {
    clearInterval(frames);
  }
}

/** As {@link watch}, on a screen of its own. `silent` shows nothing and only waits. */
export function watchOnScreen<View extends { execution: ExecutionStatus }>(
  watched: Watched<View>,
  context: CliContext,
  { silent, ...options }: Omit<WatchOptions, 'screen'> & { silent: boolean },
): Promise<View> {
  return withScreen(context.stdout, silent, (screen) => watch(watched, context, { screen, ...options }));
}

const lengthOf = (since: string, now: Date): string => formatDuration(elapsed(since, undefined, now));
const awayLine = ({ since, why }: { since: string; why: string }, now: Date): string =>
  `${safeText(why)} For ${lengthOf(since, now)} now; what is shown is from before. Trying again.`;
