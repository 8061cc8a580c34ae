import type { Output } from './context';

/** A terminal that redraws in place, or a plain stream of lines. */
export interface Screen {
  /** Replaces what was drawn before; nothing on a plain stream. */
  draw(lines: string[]): void;
  /** Lines that stay: above what is redrawn, or at the end of the plain stream. */
  append(lines: string[]): void;
  /** Lines that only the plain stream needs, since they tell what a terminal shows anyway. */
  appendPlain(lines: string[]): void;
  /** Leaves what was drawn last. */
  close(): void;
}

/** Draws while `use` runs. */
export async function withScreen<T>(output: Output, silent: boolean, use: (screen: Screen) => Promise<T>): Promise<T> {
  const screen = await openScreen(output, silent);
  try {
    return await use(screen);
  } finally {
    screen.close();
  }
}

export async function openScreen(output: Output, silent: boolean): Promise<Screen> {
  if (silent) return { draw() {}, append() {}, appendPlain() {}, close() {} };
  return output.isTTY === true ? terminalScreen(output) : plainScreen(output);
}

function plainScreen(output: Output): Screen {
  const append = (lines: string[]): void => lines.forEach((line) => output.write(`${line}\n`));
  return { draw() {}, append, appendPlain: append, close() {} };
}

async function terminalScreen(output: Output): Promise<Screen> {
  const { createLogUpdate } = await import('log-update');
  const redraw = createLogUpdate(output as NodeJS.WriteStream);
  let shown: string[] = [];
  return {
    draw(lines) {
      shown = lines;
      if (lines.length > 0) redraw(lines.join('\n'));
    },
    append(lines) {
      if (lines.length === 0) return;
      redraw.clear();
      lines.forEach((line) => output.write(`${line}\n`));
      if (shown.length > 0) redraw(shown.join('\n'));
    },
    appendPlain() {},
    close: () => redraw.done(),
  };
}
