/** Whether one fleet can hold what was selected: what it hands on to its next run is one payload. Pure. */
import { bytesOf } from '../../src/contract/status';
import type { FleetProgress } from './fleet-state';

/** Temporal warns of a larger payload, and refuses one of four times the size. */
const MAX_PAYLOAD = 512 * 1024;
/** Of a part whose providers have told everything. */
export const PART_BYTES = 800;
/** The audit trail (kit/audit-trail), who asked for what, and the waves. */
export const REST_BYTES = 136 * 1024;

/** Why it cannot, and what to do; undefined where it can. */
export function tooLarge({ request, leftOut }: FleetProgress, parts: number): string | undefined {
  const free = MAX_PAYLOAD - REST_BYTES - bytesOf(request) - bytesOf(leftOut);
  const room = Math.max(0, Math.floor(free / PART_BYTES));
  if (parts <= room) return undefined;
  return (
    `its waves have ${parts} parts, and beside what the input and the list of those left out take there is room for ${room}. ` +
    'Select providers by labels or version instead of ids, or fewer of them: several fleets may run side by side'
  );
}
