/** Operations and APS controller of one small provider, just deep enough for activities; tests replace single answers. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { createOperationsActivities } from '../../../activities/operations';
import type { Polling } from '../../../activities/polling';
import type { OperationsActivities } from '../../../src/contract/activities';
import type { ProviderProfile } from '../../../src/contract/provider';
import { defineAdapter } from '../../../src/systems/adapter';
import { Adapters } from '../../../src/systems/adapters';
import type { XmlRpcValue } from '../../../src/systems/xmlrpc';
import { activityEnvironment } from '../../kit/activity-environment';
import { patience } from '../../kit/deadlines';
import { entriesOf } from '../../kit/entries';
import { profile } from '../../kit/stub-world/stub-activities';
import type { RawAnswer } from './scripted-server';
import {
  SILENCE,
  answeringCalls,
  scriptedServer,
  type Answer,
  type Asked,
  type ScriptedServer,
} from './scripted-server';

const PACKAGE = 'as the vendor delivered it';
const OFFICE_365 = 'http://www.parallels.com/Office365';

/** Two looks are made while something may still be absent, however busy the machine is. */
export const QUICK: Polling = { firstGapMs: 1, longestGapMs: 5, absenceMs: patience(250) };

const task = z.object({ id: z.int(), name: z.string(), status: z.string() });
/** A Tasks screen that shows what its settings say, one look after the other; the last look stays. */
const slides = defineAdapter({
  settings: z.strictObject({ looks: z.array(z.array(task)).min(1) }),
  create: ({ looks }) => ({
    openTasks: async () => (looks.length > 1 ? looks.shift() : looks[0]) ?? [],
  }),
});

type Reply = XmlRpcValue | RawAnswer | typeof SILENCE;
export type Replying = (args: Record<string, XmlRpcValue>, asked: Asked) => Reply;

export const ok = (result?: XmlRpcValue): XmlRpcValue => ({ status: 0, ...(result === undefined ? {} : { result }) });
export const refuse = (reason: string): XmlRpcValue => ({ status: -1, error_message: reason, properties: { reason } });
export const hangUp: Replying = (_, asked) => {
  asked.reset();
  return SILENCE;
};

export class Vendor {
  /** Every call of Operations, in order. */
  readonly calls: string[] = [];
  taskMonitor: ProviderProfile['taskMonitor'] = { adapter: 'gate' };
  packages = ['18.3-9'];
  /** What lies behind the URL of the package; the entry expects {@link PACKAGE}. */
  file = PACKAGE;
  requests = new Map<string, { status: number; messages: string[] }>();
  instances = new Map([
    [31, { resourceId: 'uuid-31', packageVersion: '18.3-9', status: 'Ready', portal: 'https://portal.office.com' }],
    [32, { resourceId: 'uuid-32', packageVersion: '18.3-9', status: 'Ready', portal: 'https://portal.office.de' }],
  ]);
  templates = new Map([
    [16, { name: 'Office 365 E3', active: true, office365: true, resources: ['Office 365 Tenant', 'DNS Hosting'] }],
    [17, { name: 'Office 365 Trial', active: false, office365: true, resources: ['Azure CSP Subscription'] }],
    [18, { name: 'Hosted Exchange', active: true, office365: false, resources: ['Mailboxes'] }],
  ]);
  private readonly replies = new Map<string, Replying>();
  private operations!: ScriptedServer;
  private aps!: ScriptedServer;
  private files!: ScriptedServer;
  private readonly apsAnswers = new Map<string, () => Answer>();

  static async start(): Promise<Vendor> {
    const vendor = new Vendor();
    vendor.operations = await scriptedServer(
      answeringCalls((method, args, asked) => {
        vendor.calls.push(method);
        const reply = vendor.replies.get(method) ?? vendor.standard[method];
        return reply ? reply(args as Record<string, XmlRpcValue>, asked) : refuse(`no method ${method}`);
      }),
    );
    vendor.aps = await scriptedServer(({ path }) => {
      const [resource = ''] = path.split('?');
      const answer = vendor.apsAnswers.get(resource)?.();
      return answer ?? { body: JSON.stringify(vendor.apsStandard(resource)) };
    });
    vendor.files = await scriptedServer(() => ({ body: vendor.file }));
    return vendor;
  }

  async stop(): Promise<void> {
    await Promise.all([this.operations, this.aps, this.files].map((server) => server.close()));
  }

  /** From now on, that method of Operations answers so. */
  on(method: string, reply: Replying): void {
    this.replies.set(method, reply);
  }

  /** The first call answers so, later ones as usual. */
  once(method: string, reply: Replying): void {
    this.on(method, (args, asked) => {
      this.replies.delete(method);
      return reply(args, asked);
    });
  }

  onAps(path: string, answer: () => Answer): void {
    this.apsAnswers.set(path, answer);
  }

  counted(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  get entry(): ProviderProfile {
    return profile('contoso', {
      operations: { url: this.operations.url },
      aps: { url: this.aps.url },
      packages: {
        '18.4.1': {
          url: `${this.files.url}o365.zip?sig=secret`,
          sha256: createHash('sha256').update(PACKAGE).digest('hex'),
        },
      },
      taskMonitor: this.taskMonitor,
    });
  }

  run<Name extends keyof OperationsActivities>(
    name: Name,
    input: Omit<Parameters<OperationsActivities[Name]>[0], 'entry'> & { entry?: object },
    environment = activityEnvironment(),
  ): ReturnType<OperationsActivities[Name]> {
    const resolveSecret = async () => '';
    const adapters = new Adapters({ resolveSecret }, { taskMonitor: { slides } });
    const activities = createOperationsActivities({
      entries: entriesOf(this.entry),
      resolveSecret,
      adapters,
      polling: QUICK,
    });
    const activity = activities[name] as (input: object) => ReturnType<OperationsActivities[Name]>;
    return environment.run(() => activity({ entry: { provider: 'contoso' }, ...input })) as ReturnType<
      OperationsActivities[Name]
    >;
  }

  readonly standard: Record<string, Replying> = {
    'pem.statistics.getStatisticsReport': () =>
      ok([{ value: '<BuildHistory><Build><Build>oa-7.4-2210</Build></Build></BuildHistory>' }]),
    'pem.APS.getApplications': () => ok([{ application_id: 17 }]),
    'pem.APS.getUserToken': () => ok({ aps_token: 'token', controller_uri: 'https://c/' }),
    'pem.APS.getApplicationInstances': () =>
      ok(
        [...this.instances].map(([id, { resourceId }]) => ({
          application_instance_id: id,
          application_resource_id: resourceId,
        })),
      ),
    'pem.APS.getApplicationInstance': ({ application_instance_id }) => {
      const id = Number(application_instance_id);
      const found = this.instances.get(id);
      if (!found) return refuse(`Application instance #${id} does not exist.`);
      return ok({
        application_instance_id: id,
        application_id: 17,
        package_version: found.packageVersion,
        status: found.status,
      });
    },
    'pem.APS.getApplicationInstanceSettings': () => ok([{ name: 'Homepage', value: 'https://contoso.example' }]),
    'pem.APS.upgradeApplicationInstance': ({ application_instance_id }) => {
      const found = this.instances.get(Number(application_instance_id));
      if (found) found.status = 'Upgrading';
      return ok();
    },
    'pem.getServiceTemplateList': ({ active }) =>
      ok(
        [...this.templates]
          .filter((each) => active !== true || each[1].active)
          .map(([st_id, { name }]) => ({ st_id, name })),
      ),
    'pem.getServiceTemplate': ({ st_id }) => {
      const found = this.templates.get(Number(st_id));
      if (!found) return refuse(`Service template #${Number(st_id)} does not exist.`);
      return ok({
        st_id: Number(st_id),
        name: found.name,
        is_active: found.active,
        resource_types: found.resources.map((name) => ({
          name,
          resclass_name: 'rc.saas.service',
          act_params: found.office365 ? [{ var_name: 'app_id', var_value: '17' }] : [],
        })),
      });
    },
    'pem.activateST': ({ st_id }) => this.setActive(Number(st_id), true),
    'pem.deactivateST': ({ st_id }) => this.setActive(Number(st_id), false),
    'txn.Begin': () => ok({ txn_id: 84211 }),
    'txn.Commit': () => {
      this.packages.push('18.4.1-12');
      return ok();
    },
    'txn.Rollback': () => ok(),
    'pem.APS.importPackage': () => ok({ application_id: 17, package_version: '18.4.1-12' }),
    'pem.getRequestStatus': ({ request_id }) => {
      const request = this.requests.get(request_id as string) ?? { status: 0, messages: [] };
      return ok({ request_status: request.status, status_messages: request.messages });
    },
  };

  private setActive(id: number, active: boolean): XmlRpcValue {
    const found = this.templates.get(id);
    if (found) found.active = active;
    return ok();
  }

  private apsStandard(path: string): unknown {
    switch (path) {
      case '/aps/2/packages':
        return [
          ...this.packages.map((packageVersion) => {
            const [version, release] = packageVersion.split('-');
            return { id: OFFICE_365, version, release };
          }),
          { id: 'http://www.odin.com/Domains', version: '2.1', release: '4' },
        ];
      case '/aps/2/applications':
        return [...this.instances].map(([id, { resourceId }]) => ({
          aps: { endpoint: `https://gw${id}.example/Gateway/aps/` },
          app: { aps: { id: resourceId } },
        }));
      case '/aps/2/resources':
        return [...this.templates]
          .filter(([, { office365 }]) => office365)
          .map(([serviceTemplateId]) => ({ serviceTemplateId }));
      default: {
        const found = [...this.instances.values()].find(({ resourceId }) => path === `/aps/2/resources/${resourceId}`);
        return { aps: {}, instanceName: `CSP ${found?.resourceId}`, portalUrl: found?.portal };
      }
    }
  }
}
