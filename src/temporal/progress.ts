/** How long work tells people that it is alive. */
export interface Progress {
  /** Something to keep: one line. */
  say(line: string): void;
  /** Where the work stands now; replaces what was said by the last `tick`. */
  tick(line: string): void;
}

/** Between two lines of progress where lines cannot be rewritten, as in the log of a CI job. */
const QUIET_MS = 15_000;

/** Progress on a terminal, or as an occasional line in a log. */
export function terminalProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let transient = false;
  let quietUntil = 0;
  const clear = (): void => {
    if (transient) stream.write('\r\u001b[K');
    transient = false;
  };
  return {
    say(line) {
      clear();
      stream.write(`${line}\n`);
      quietUntil = Date.now() + QUIET_MS;
    },
    tick(line) {
      if (stream.isTTY) {
        clear();
        stream.write(line.slice(0, stream.columns - 1));
        transient = true;
      } else if (Date.now() >= quietUntil) {
        stream.write(`${line}\n`);
        quietUntil = Date.now() + QUIET_MS;
      }
    },
  };
}
