/** When a fleet will be done, as far as what it has measured so far can tell. */
import type { FleetStatus } from '../../contract/fleet';

export interface Estimate {
  /** ISO 8601. */
  endsAt: string;
  /** Upgrades whose times it is made of. */
  basedOn: number;
  /** Providers that wait for people, which nobody can estimate: they are not in it. */
  waitForPeople: number;
}

/**
 * Undefined until an upgrade has ended well, and when nothing is left to do.
 *
 * Upgrades that run take what the steps from theirs on took others; those that are pending take the mean. They go to the slots
 * one after the other, wave after wave, with the soak time in between.
 *
 * @param running a step of each upgrade that runs, where it is known
 * @param soak of the fleet's request, in seconds
 */
export function estimateEnd(
  status: Pick<FleetStatus, 'measured' | 'counts' | 'waves' | 'maxParallel'>,
  running: readonly (string | undefined)[],
  { soak, now }: { soak: number; now: Date },
): Estimate | undefined {
  const { measured, counts, maxParallel } = status;
  if (measured.upgrades === 0 || counts.pending + counts.running === 0) return undefined;
  const steps = running.slice(0, counts.running);
  const known = steps.map((step) => remaining(measured, step));
  const unseen = Array.from({ length: counts.running - known.length }, () => measured.seconds);
  const slots = [...known, ...unseen];
  while (slots.length < maxParallel) slots.push(0);

  const open = status.waves.filter(({ state }) => state !== 'done');
  for (const [index, wave] of open.entries()) {
    for (let left = wave.counts.pending; left > 0; left -= 1) giveToFirstFree(slots, measured.seconds);
    if (index === open.length - 1) continue;
    const soaksSince = wave.state === 'soaking' ? wave.endedAt : undefined;
    const passed = soaksSince === undefined ? 0 : (now.getTime() - Date.parse(soaksSince)) / 1000;
    const next = Math.max(...slots) + Math.max(0, soak - passed);
    slots.fill(next);
  }
  return {
    endsAt: new Date(now.getTime() + Math.max(...slots) * 1000).toISOString(),
    basedOn: measured.upgrades,
    waitForPeople: counts.held + counts.parked,
  };
}

/** Seconds from the beginning of this step to the end of the upgrade. */
function remaining({ seconds, stepSeconds }: FleetStatus['measured'], step: string | undefined): number {
  // As they were measured, in the order in which upgrades do them.
  const steps = Object.keys(stepSeconds);
  const position = step === undefined ? -1 : steps.indexOf(step);
  if (position < 0) return seconds;
  return steps.slice(position).reduce((sum, name) => sum + (stepSeconds[name] ?? 0), 0);
}

function giveToFirstFree(slots: number[], seconds: number): void {
  let first = 0;
  for (const [slot, free] of slots.entries()) if (free < (slots[first] ?? 0)) first = slot;
  slots[first] = (slots[first] ?? 0) + seconds;
}
