/** Follows one upgrade until it is over, on a terminal that redraws or one that only appends. */
import { setTimeout as delay } from 'node:timers/promises';
import { callingOf, paintFor, type CliContext, type GlobalOptions } from './cli-context';
import { asCliError, CliError } from './cli-error';
import { openScreen, type Screen } from './screen';
import { elapsed, formatDuration, formatTime } from './text/duration';
import { safeText } from './text/safe-text';
import type { Upgrades, UpgradeView } from './upgrades';
import { changeLines } from './views/change-lines';
import { statusLines } from './views/status-view';
import { isOver } from './views/upgrade-state';

export interface WatchOptions {
  /** Milliseconds between two looks at the upgrade. */
  intervalMs: number;
  /** Nothing is drawn: the caller only waits. */
  silent?: boolean;
  /** Called with every look, and the one before it. */
  onView?: (view: UpgradeView, before: UpgradeView | undefined, screen: Screen) => void;
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
  globals: GlobalOptions,
  { intervalMs, silent = false, onView }: WatchOptions,
): Promise<UpgradeView> {
  const screen = await openScreen(context.stdout, silent);
  const paint = paintFor(context.stdout, context.env);
  const calling = callingOf(context, globals);
  const interrupted = context.interrupted();
  let view: UpgradeView | undefined;
  let away: { since: string; why: string } | undefined;

  const draw = (): void => {
    const now = context.now();
    const lines =
      view === undefined ? [] : statusLines(view, { now, paint, width: context.stdout.columns ?? 100, calling });
    if (away !== undefined) lines.push('', paint.red(awayLine(away, now)));
    screen.draw(lines);
  };
  const frames = setInterval(draw, FRAME_MS);
  try {
    for (;;) {
      const now = context.now();
      try {
        const next = await upgrades.view(provider);
        if (away !== undefined) screen.append([`Answers again after ${sinceText(away.since, context.now())}.`]);
        away = undefined;
        screen.appendPlain(changeLines(view, next, { now, calling }).map((line) => `${stamp(now)}  ${line}`));
        onView?.(next, view, screen);
        view = next;
        draw();
        if (isOver(view)) return view;
      } catch (error) {
        const { kind, message } = asCliError(error);
        if (kind !== 'unreachable' && kind !== 'noWorker') throw error;
        if (away === undefined) {
          away = { since: now.toISOString(), why: message };
          screen.appendPlain([`${stamp(now)}  ${safeText(message)} Trying again.`]);
        }
        away.why = message;
        draw();
      }
      await delay(intervalMs, undefined, { signal: interrupted }).catch(() => undefined);
      if (interrupted.aborted) {
        throw new CliError('interrupted', `No longer watching: the upgrade of ${provider} goes on.`);
      }
    }
  } finally {
    clearInterval(frames);
    screen.close();
  }
}

const stamp = (now: Date): string => formatTime(now.toISOString());
const sinceText = (since: string, now: Date): string => formatDuration(elapsed(since, undefined, now));
const awayLine = ({ since, why }: { since: string; why: string }, now: Date): string =>
  `${safeText(why)} For ${sinceText(since, now)} now; what is shown is from before. Trying again.`;
