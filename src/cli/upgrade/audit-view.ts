import type { Colors } from 'picocolors/types';
import type { AuditEntry } from '../../contract/status';
import { formatTime } from '../kit/text/duration';
import { safeText } from '../kit/text/safe-text';

/** The audit trail, one entry per line, in the order in which things happened. */
export function auditLines(entries: AuditEntry[], paint: Colors): string[] {
  const whatWidth = Math.max(0, ...entries.map(({ what }) => safeText(what, 40).length));
  return entries.map((entry) => {
    const about = entry.subject === undefined ? '' : `${safeText(entry.subject, 100)}: `;
    const line = `${entry.verdict.padEnd(8)}  ${safeText(entry.what, 40).padEnd(whatWidth)}  ${safeText(entry.by, 80)}  ${about}${safeText(entry.detail, 1000)}`;
    return `${paint.dim(formatTime(entry.at))}  ${entry.verdict === 'refused' ? paint.red(line) : line}`;
  });
}
