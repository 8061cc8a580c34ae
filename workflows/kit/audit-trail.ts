/** Audit trails that have no end of their own: the newest entries stay, as many as there is room for. Pure. */
import { bytesOf, type AuditEntry } from '../../src/contract/status';

/** Room for entries of one kind. */
interface Room {
  readonly entries: number;
  readonly bytes?: number;
}

/** Of what was refused, and of all else: nobody who floods the one pushes the other out. */
export interface Limits {
  readonly refused: Room;
  readonly others: Room;
}

/** The trail with one entry more, without the oldest of its kind that there is no room for. */
export function trailWith(trail: readonly AuditEntry[], entry: AuditEntry, limits: Limits): AuditEntry[] {
  const isAlike = ({ verdict }: AuditEntry): boolean => (verdict === 'refused') === (entry.verdict === 'refused');
  const { entries, bytes = Infinity } = entry.verdict === 'refused' ? limits.refused : limits.others;
  const kept = new Set<AuditEntry>();
  let left = bytes;
  for (const each of [entry, ...trail.filter(isAlike).reverse()]) {
    if (bytes !== Infinity) left -= bytesOf(each);
    if (kept.size > 0 && (left < 0 || kept.size === entries)) break;
    kept.add(each);
  }
  return [...trail, entry].filter((each) => !isAlike(each) || kept.has(each));
}
