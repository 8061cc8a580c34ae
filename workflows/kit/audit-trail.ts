/** The audit trail of a fleet, which has no end of its own. Pure. */
import type { AuditEntry } from '../../src/contract/status';
import { bytesOf } from '../fleet/capacity';

/** The trail is handed on from run to run. Of what was refused, and of all else, the newest so many entries stay, of so many bytes. */
const MOST_REFUSED = { entries: 50, bytes: 32 * 1024 };
const MOST_OTHERS = { entries: 200, bytes: 80 * 1024 };

/** The trail with one entry more, without the oldest of its kind that there is no room for. */
export function trailWith(trail: readonly AuditEntry[], entry: AuditEntry): AuditEntry[] {
  const isAlike = ({ verdict }: AuditEntry): boolean => (verdict === 'refused') === (entry.verdict === 'refused');
  const { entries, bytes } = entry.verdict === 'refused' ? MOST_REFUSED : MOST_OTHERS;
  const kept = new Set<AuditEntry>();
  let left = bytes;
  for (const each of [entry, ...trail.filter(isAlike).reverse()]) {
    left -= bytesOf(each);
    if (kept.size > 0 && (left < 0 || kept.size === entries)) break;
    kept.add(each);
  }
  return [...trail, entry].filter((each) => !isAlike(each) || kept.has(each));
}
