/** How a process of ours tells the one that started it that it does its work. */

export const READY = 'onward:ready';

/** Called once the work has begun; for a process that somebody at a terminal started it does nothing. `end` is called when the parent is gone. */
export function announceReady(end: () => void): void {
  if (process.send === undefined) return;
  process.send(READY);
  process.once('disconnect', end);
  // The channel is there to be heard, not to keep the process alive once its work is over.
  process.channel?.unref();
}
