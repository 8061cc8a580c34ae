/**
 * What `upgradeProvider` is compared with: the same activities in the same order, side by side where an upgrade has them
 * side by side, and the same waits for people, as a plain Temporal workflow without path, undo list, holds, audit trail,
 * reminders or search attributes. The bench checks that both histories have the same activities.
 */
import {
  ParentClosePolicy,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  startChild,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { noticeWorkflowId } from '../../src/contract/activities';
import type {
  BillingActivities,
  EndpointActivities,
  GuardActivities,
  InventoryActivities,
  MicrosoftActivities,
  NetworkActivities,
  Notice,
  LedgerActivities,
  Noted,
  NotifyActivities,
  OperationsActivities,
} from '../../src/contract/activities';
import type { ApplicationInstance, GatewaySite, HostFacts } from '../../src/contract/facts';
import type { ConfirmStep, ConsentCompleted } from '../../src/contract/messages';
import { instancesOf } from '../../src/contract/ledger';
import { operationId, type Operation } from '../../src/contract/operation';
import { entryOf, packageOf, type FrozenProfile } from '../../src/contract/entry';
import { QUERY, type Gate, type UpgradeStatus } from '../../src/contract/status';
import { endpointTaskQueue } from '../../src/contract/provider';
import { withoutRelease } from '../../src/contract/versions';
import { parseEndpointUrl } from '../../workflows/engine/gateway-address';

const TIMEOUTS = { startToCloseTimeout: '2 minutes', heartbeatTimeout: '10 seconds' } as const;
const call = proxyActivities<
  InventoryActivities &
    OperationsActivities &
    BillingActivities &
    MicrosoftActivities &
    NetworkActivities &
    GuardActivities &
    LedgerActivities &
    NotifyActivities
>(TIMEOUTS);

export async function bareUpgrade({ provider }: { provider: string }): Promise<void> {
  const people = new People();
  const profile = await call.loadProvider({ provider });
  const { plans, stores } = profile;
  const both = { entry: entryOf(profile, 'operations', 'aps') };
  const operations = { entry: entryOf(profile, 'operations') };
  const billing = { entry: entryOf(profile, 'billing'), plans };
  const tasks = { entry: entryOf(profile, 'taskMonitor') };
  const connections = { entry: entryOf(profile, 'connectionTest') };
  const to = '18.4.1';
  const { sha256 } = packageOf(profile, to);

  const [{ instances }, { templates: sold }, ...hosts] = await Promise.all([
    call.readOperations(both),
    call.readBilling(billing),
    ...profile.endpointHosts.map((host) => endpoint(host.name).readHost({ host })),
  ]);
  // Which package is meant follows from what is installed.
  await call.hashPackage({ entry: entryOf(profile, `packages.${to}`), version: to });
  const from = withoutRelease(instances[0]?.packageVersion ?? '');
  const { workflowId, firstExecutionRunId: firstRun } = workflowInfo();
  const operation: Operation = { provider, from, to, firstRun, workflowId };

  const resources = instancesOf(instances);
  const { installation } = await call.readLedger({ provider, instances: resources });
  const entrant = { installation, operation, instances: resources };
  await call.enterInstallation(entrant);
  const note = (noted: Noted) => call.noteInLedger({ ...entrant, note: noted });
  const endpoints = instances.map(({ endpointUrl }) => endpointUrl);
  const lookAgain = () => call.lookAgain({ ...both, known: resources, endpoints });
  const lookWhetherQuiet = async (): Promise<void> => {
    await call.readActiveTemplates(both);
    await call.awaitTasksProcessed(tasks);
  };

  const { templates } = await call.readTemplates(both);
  const templateIds = templates.filter(({ active }) => active).map(({ id }) => id);
  const off = { what: 'provisioning', before: [templateIds] };
  await note({ type: 'begun', step: 'stopProvisioning', ...off, facts: {} });
  await call.deactivateTemplates({ ...operations, templateIds });
  await call.awaitTasksProcessed(tasks);

  await note({ type: 'begun', step: 'upgradeEndpoints', facts: {} });
  await Promise.all(
    hosts.map(async ({ host: name, identity }) => {
      const host = { name, identity };
      const sites = sitesOn(hosts, name, profile, instances);
      const on = endpoint(host.name);
      await on.claimHost({ host, sites, operation });
      await on.stagePackage({ host, sha256, operation });
      for (const site of sites) {
        await on.backupSite({ host, site, operation });
        await lookWhetherQuiet();
        await on.runSetup({ host, site, sha256, operation });
      }
      await lookWhetherQuiet();
      await on.resetIis({ host, operation, purpose: 'upgrade' });
      await on.detectSites({ host, sites, from, to });
    }),
  );

  const requestId = uuid4();
  await lookAgain();
  await call.hashPackage({ entry: entryOf(profile, `packages.${to}`), version: to });
  await lookWhetherQuiet();
  await note({ type: 'importing', requestId });
  const { packageVersion } = await call.importPackage({
    entry: entryOf(profile, 'operations', 'aps', `packages.${to}`),
    version: to,
    requestId,
  });
  void tell(profile, 'crossed');
  await lookAgain();
  const [pilot, ...rest] = instances.map(({ id: instanceId }) => ({ ...both, instanceId, version: packageVersion }));
  if (pilot) await call.upgradeInstance(pilot);
  await Promise.all(rest.map((instance) => call.upgradeInstance(instance)));

  if (from === '18.3') {
    await lookAgain();
    await people.asked(
      profile,
      instances.map(({ id }) => ({ step: 'acquireRefreshTokens', item: String(id), answeredBy: 'consentCompleted' })),
      (gate) =>
        call.testConnection({ ...connections, instance: instances.find(({ id }) => String(id) === gate.item)! }),
    );
    await call.readBilling(billing);
    if (sold.some(({ parameters }) => parameters.includes('o365_based_on_email'))) {
      await people.asked(profile, [{ step: 'removeEmailParameter', item: 'parameter' }], () =>
        call.readBilling(billing),
      );
    }
    await people.asked(
      profile,
      stores.map(({ id }) => ({ step: 'removeEmailParameter', item: `store-${id}`, title: `Synchronise ${id}` })),
    );
  }
  await people.asked(
    profile,
    ['controlPanel', ...stores.map(({ id }) => `store-${id}`)].map((item) => ({ step: 'updateCustomizations', item })),
  );

  await lookAgain();
  await Promise.all([
    call.awaitTasksProcessed(tasks),
    ...instances.map((instance) => call.testConnection({ ...connections, instance })),
  ]);
  const { connectionTest, reminders, notify, timings } = profile;
  const settings = { connectionTest, reminders, notify, timings };
  const guarded = { provider, consentedAt: new Date().toISOString(), assumed: true, settings };
  const guards = instances.map(({ id, name, resourceId }) => ({ ...guarded, instance: { id, name, resourceId } }));
  await call.activateTemplates({ ...operations, templateIds });
  await call.readActiveTemplates(both);
  await note({ type: 'settled', step: 'stopProvisioning' });
  await lookAgain();
  await call.startGuards({ guards, operation: operationId(operation) });
  await lookAgain();
  await call.readActiveTemplates(both);
  await note({ type: 'left', notUndone: [] });
  people.over = true;
  await leaveToTell(profile, 'completed');
}

const endpoint = (host: string): EndpointActivities =>
  proxyActivities<EndpointActivities>({ ...TIMEOUTS, taskQueue: endpointTaskQueue(host) });

/** In the sandbox every gateway application has the address of its hostname to itself. */
function sitesOn(
  facts: HostFacts[],
  host: string,
  { gatewayAddresses }: FrozenProfile,
  instances: ApplicationInstance[],
): GatewaySite[] {
  const sites = facts.find((each) => each.host === host)?.sites ?? [];
  const addressed = instances.map(({ id, endpointUrl }) => ({ id, ...parseEndpointUrl(endpointUrl) }));
  return sites.flatMap(({ name, applications, bindings }) =>
    applications.flatMap(({ name: application }) => {
      const served = addressed.filter(
        (each) =>
          each.application === application &&
          bindings.some(({ address }) => address === gatewayAddresses[each.hostname ?? '']),
      );
      const [{ hostname } = {}] = served;
      if (hostname === undefined) return [];
      const ip = gatewayAddresses[hostname] ?? '';
      return [{ host, site: name, application, hostname, ip, instances: served.map(({ id }) => id) }];
    }),
  );
}

interface Question {
  step: string;
  item: string;
  /** Tells the operator what to do, where step and item do not. */
  title?: string;
  answeredBy?: 'consentCompleted';
}
type Open = Pick<Gate, 'id' | 'step' | 'item' | 'title' | 'asked' | 'openedAt' | 'answer'>;

/** Just enough for the sandbox operator to see what is asked, and to be heard. */
class People {
  over = false;
  private open: Open[] = [];

  constructor() {
    const close = (step: string, item: string | undefined): void => {
      this.open = this.open.filter((gate) => gate.step !== step || gate.item !== item);
    };
    setHandler(defineSignal<[ConfirmStep]>('confirmStep'), ({ step, item }) => close(step, item));
    setHandler(defineSignal<[ConsentCompleted]>('consentCompleted'), ({ instance }) =>
      close('acquireRefreshTokens', String(instance)),
    );
    setHandler(defineQuery<Pick<UpgradeStatus, 'holds' | 'state' | 'steps'> & { gates: Open[] }>(QUERY.status), () => ({
      gates: this.open,
      holds: [],
      steps: [],
      state: this.over ? 'completed' : 'running',
    }));
  }

  /** Tells that these are waited for, and does what follows on each answer. */
  async asked(
    profile: FrozenProfile,
    questions: Question[],
    answered?: (gate: Open) => Promise<unknown>,
  ): Promise<void> {
    const gates = questions.map(gateOf);
    this.open.push(...gates);
    await Promise.all([
      tell(profile, 'gatesOpened'),
      ...gates.map(async (gate) => {
        await condition(() => !this.open.includes(gate));
        await answered?.(gate);
      }),
    ]);
  }
}

function gateOf({ step, item, title = step, answeredBy }: Question): Open {
  return {
    title,
    id: `${step}/${item}`,
    step,
    item,
    asked: answeredBy ? 'partnerAdministrator' : 'operator',
    openedAt: new Date().toISOString(),
    answer: answeredBy
      ? { name: answeredBy, payload: { instance: item, by: '<who>' } }
      : { name: 'confirmStep', payload: { step, item, by: '<who>', evidence: '<what shows it>' } },
  };
}

async function tell(profile: FrozenProfile, kind: Notice['kind']): Promise<void> {
  const notice = noticeOf(profile, kind);
  await Promise.all(profile.notify.map((_, target) => call.notify({ target, notice })));
}

async function leaveToTell(profile: FrozenProfile, kind: Notice['kind']): Promise<void> {
  await Promise.all(
    profile.notify.map((_, target) => {
      const notice = noticeOf(profile, kind);
      return startChild('deliverNotice', {
        workflowId: noticeWorkflowId(notice),
        args: [{ target, notice }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
      });
    }),
  );
}

function noticeOf({ provider }: FrozenProfile, kind: Notice['kind']): Notice {
  return { id: uuid4(), provider, workflowId: workflowInfo().workflowId, kind, subject: kind, body: '' };
}
