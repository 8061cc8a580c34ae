/** Whether a gateway site on the host is still the one that the upgrade was planned for. */
import type { GatewaySite } from '../../contract/facts';
import { sameName } from '../../contract/names';
import { parseBinding } from './bindings';
import type { InspectedSite } from './scripts';

/** What differs, as sentences without a full stop; empty when setup.cmd may be given the planned values. */
export function differences(planned: GatewaySite, found: InspectedSite): string[] {
  if (found.bindings === null) return [`IIS has no site '${planned.site}' any more: was it renamed`];
  const problems: string[] = [];
  const serves = found.bindings
    .map(parseBinding)
    .filter(({ address, port }) => port === 443 && [planned.ip, '*'].includes(address))
    .some(({ hostHeader }) => hostHeader === '' || sameName(hostHeader, planned.hostname));
  if (!serves) {
    const now = found.bindings.join(', ') || 'none';
    problems.push(
      `the site '${planned.site}' has no https binding to ${planned.ip} and port 443 for ${planned.hostname}, it has ${now}`,
    );
  }
  if (found.physicalPath === null) {
    problems.push(`the site '${planned.site}' has no application '${planned.application}'`);
  }
  return problems;
}
