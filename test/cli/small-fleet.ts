/** The least that a client of fleets can see of one: a fleet, its part, and an upgrade that waits for people. */
import {
  condition,
  defineQuery,
  ParentClosePolicy,
  setHandler,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { fleetMessages, type FleetInput, type FleetMessages } from '../../src/contract/fleet';
import type { AuditEntry } from '../../src/contract/status';
import { handleMessages } from '../../workflows/kit/messages';
import { fleetAttribute, openGatesAttribute, stateAttribute } from '../../src/temporal/search-attributes';

type Proceed = FleetMessages['proceed'];

export async function upgradeFleet({ name }: FleetInput): Promise<void> {
  let said: Proceed | undefined;
  const part = `fleet/${name}/wave-1/1`;
  setHandler(defineQuery('status'), () => ({ fleet: name, waves: [{ wave: 1, parts: [part] }] }));
  setHandler(defineQuery('plan'), () => ({ fleet: name }));
  const audit: AuditEntry[] = [];
  setHandler(defineQuery('audit'), () => audit);
  handleMessages(
    { proceed: fleetMessages.proceed },
    ({ payload }) => {
      said = payload;
      return { accepted: 'The fleet goes on.' };
    },
    (entry) => audit.push({ at: new Date().toISOString(), ...entry }),
    () => audit,
  );
  upsertSearchAttributes([{ key: stateAttribute, value: 'planned' }]);
  await startChild('upgradeWave', { workflowId: part, args: [name], parentClosePolicy: ParentClosePolicy.ABANDON });
  await condition(() => said !== undefined);
}

export async function upgradeWave(fleet: string): Promise<void> {
  setHandler(defineQuery('providers'), () => [{ provider: 'contoso', from: '18.3', state: 'running' }]);
  await startChild('upgradeProvider', {
    workflowId: 'upgrade/contoso',
    args: [fleet],
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
}

export async function upgradeProvider(fleet: string): Promise<void> {
  upsertSearchAttributes([
    { key: fleetAttribute, value: fleet },
    { key: openGatesAttribute, value: 2 },
  ]);
  await condition(() => false);
}
