/** What a fleet writes down, and shows in the Temporal UI: its audit trail, search attributes and current details. */
import { setCurrentDetails } from '@temporalio/workflow';
import type { AuditEntry } from '../../src/contract/status';
import { fleetAttribute, openGatesAttribute, stateAttribute } from '../../src/temporal/search-attributes';
import { now } from '../kit/now';
import { trailWith, type Limits } from '../kit/audit-trail';
import { SentAttributes } from '../kit/search-attributes';
import { fleetDetails } from './current-details';
import { statusOf } from './view';
import type { FleetProgress } from './fleet-state';

/** The trail is handed on from run to run: ./capacity leaves room for it. */
export const LIMITS: Limits = {
  refused: { entries: 50, bytes: 32 * 1024 },
  others: { entries: 200, bytes: 80 * 1024 },
};

export class FleetRecord {
  private readonly attributes = new SentAttributes();

  constructor(readonly state: FleetProgress) {}

  write(entry: Omit<AuditEntry, 'at'>): void {
    this.state.audit = trailWith(this.state.audit, { at: now(), ...entry }, LIMITS);
    this.state.auditEntries += 1;
  }

  /** Shows what is known now. */
  publish(): void {
    const status = statusOf(this.state);
    setCurrentDetails(fleetDetails(status));
    this.attributes.send([
      { key: fleetAttribute, value: status.fleet },
      { key: stateAttribute, value: status.state },
      { key: openGatesAttribute, value: status.asks ? 1 : 0 },
    ]);
  }
}
