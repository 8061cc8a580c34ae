/** The work behind the gates, done over the control API the way a person does it in the vendor's screens. */
import { z } from 'zod';
import type { Gate, UpgradeStatus } from '../contract/status';

const DEADLINE_MS = 30_000;

const screens = {
  provider: z.object({
    serviceTemplates: z.array(z.object({ id: z.number(), parameters: z.array(z.string()) })),
    stores: z.array(z.object({ id: z.string(), asksFor: z.array(z.string()), synchronisedAt: z.number().optional() })),
    applicationVersion: z.string(),
    customizations: z.record(z.string(), z.string()),
    synchronisation: z.enum(['on', 'off']),
    gateways: z.array(z.object({ hostname: z.string(), host: z.string(), site: z.string() })),
  }),
  tasks: z.array(z.object({ id: z.number(), name: z.string(), status: z.string(), periodic: z.boolean() })),
  connection: z.object({ success: z.boolean() }),
};

/** A screen did not answer, or not as it should: whoever sits before it has to come back later. */
export class ScreenFailed extends Error {
  override readonly name = 'ScreenFailed';
}

/** What a gate's work came to: the evidence, or that it is not finished and has to be looked at again. */
export type Work = { evidence: string } | { unfinished: string };

/** Whether a gate of this step asks for its undo. */
export function isUndoing({ state, steps }: Pick<UpgradeStatus, 'state' | 'steps'>, step: string): boolean {
  const undoing: string = 'undoing';
  return state === 'rollingBack' || steps.some((each) => each.name === step && each.state === undoing);
}

export class ManualWork {
  /** @param url `.../_sim/providers/<provider>/` */
  constructor(private readonly url: string) {}

  /**
   * Does what the gate asks for, unless it is done already. What no screen of the sandbox knows is only looked at.
   *
   * @param undoing the gate asks for the opposite: that its step is undone
   */
  async for(gate: Pick<Gate, 'step' | 'item' | 'title'>, undoing = false): Promise<Work> {
    const item = gate.item ?? '';
    const [, store] = /^store-(.+)$/.exec(item) ?? [];
    const [, tested] = /^connection-(.+)$/.exec(item) ?? [];
    if (tested !== undefined) return this.connectionTested(tested);
    if (item === 'tasks') return this.tasksProcessed();
    // By what the gate says, as a person goes: each release has names of its own for these steps.
    const [, parameter] = /^Remove (\S+) from /.exec(gate.title) ?? [];
    if (parameter !== undefined) return this.parameterRemoved(parameter);
    if (store !== undefined && gate.title.startsWith('Synchronise ')) return this.storeSynchronised(store);
    switch (gate.step) {
      case 'acquireRefreshTokens':
        return this.consentGiven(item);
      case 'updateCustomizations':
        return this.customizationUpdated(store ?? item);
      case 'stopSynchronisation':
        return this.synchronisationSwitched(undoing ? 'on' : 'off');
      case 'startSynchronisation':
        return this.synchronisationSwitched(undoing ? 'off' : 'on');
      case 'collectGatewaySites':
        return this.siteFound(item);
      default:
        return { evidence: 'Looked at it: it is as the procedure wants it.' };
    }
  }

  /** Runs Office 365 tasks again that have failed, and imports and upgrades that are stuck, as in the task manager. */
  async rescheduleFailedTasks(): Promise<number> {
    const tasks = await this.get('tasks', screens.tasks);
    const repairable = tasks.filter(
      ({ name, status, periodic }) =>
        !periodic &&
        ((status === 'Failed' && /office|upgrad|import/i.test(name)) ||
          (status === 'Rescheduled' && /upgrad|import/i.test(name))),
    );
    for (const { id } of repairable) await this.act('POST', `tasks/${id}/reschedule`);
    return repairable.length;
  }

  private async consentGiven(instance: string): Promise<Work> {
    const path = `instances/${encodeURIComponent(instance)}`;
    if (!(await this.get(`${path}/testConnection`, screens.connection)).success)
      await this.act('POST', `${path}/consent`);
    return { evidence: 'Your refresh token has been updated successfully.' };
  }

  private async connectionTested(instance: string): Promise<Work> {
    const { success } = await this.get(`instances/${encodeURIComponent(instance)}/testConnection`, screens.connection);
    return success
      ? { evidence: 'Test Connection: Partner Center and Graph answered.' }
      : { unfinished: `Test Connection of instance ${instance} fails` };
  }

  private async parameterRemoved(name: string): Promise<Work> {
    const { serviceTemplates } = await this.get('', screens.provider);
    const affected = serviceTemplates.filter(({ parameters }) => parameters.includes(name));
    for (const { id } of affected) await this.act('DELETE', `serviceTemplates/${id}/parameters/${name}`);
    return { evidence: `Deleted ${name} on the tab Service Parameters of every Office 365 template.` };
  }

  private async storeSynchronised(id: string): Promise<Work> {
    const { stores, serviceTemplates } = await this.get('', screens.provider);
    const store = stores.find((other) => other.id === id);
    // A store that was synchronised after the removal shows it; synchronising again would change nothing.
    const isLeft = (name: string) => serviceTemplates.some(({ parameters }) => parameters.includes(name));
    const upToDate = store?.synchronisedAt !== undefined && store.asksFor.every(isLeft);
    if (!upToDate) await this.act('POST', `stores/${encodeURIComponent(id)}/synchronise`);
    return { evidence: `The synchronisation of store ${id} ended without errors.` };
  }

  private async customizationUpdated(target: string): Promise<Work> {
    const { customizations, applicationVersion } = await this.get('', screens.provider);
    if (customizations[target] !== applicationVersion) {
      await this.act('POST', `customizations/${encodeURIComponent(target)}/update`);
    }
    return { evidence: `cowi_script.js of ${applicationVersion} is installed in ${target}.` };
  }

  private async synchronisationSwitched(wanted: 'on' | 'off'): Promise<Work> {
    const { synchronisation } = await this.get('', screens.provider);
    if (synchronisation !== wanted) await this.act('POST', `synchronisation/${wanted === 'on' ? 'start' : 'stop'}`);
    return { evidence: `The switch of the synchronisation is ${wanted}, as the screen shows it.` };
  }

  private async tasksProcessed(): Promise<Work> {
    const tasks = await this.get('tasks', screens.tasks);
    const open = tasks.filter(({ name, periodic }) => !periodic && /office/i.test(name));
    for (const { id, status } of open) if (status === 'Failed') await this.act('POST', `tasks/${id}/process`);
    return open.length === 0
      ? { evidence: 'Operations > Tasks, filtered by *office*, is empty but for the periodic tasks.' }
      : { unfinished: `${open.length} Office 365 tasks are open` };
  }

  /** The gate about the site asks for its name as evidence; the one about the name takes any text. */
  private async siteFound(item: string): Promise<Work> {
    const { gateways } = await this.get('', screens.provider);
    const found = gateways.find(({ hostname }) => hostname === item);
    return { evidence: found ? `${found.host}/${found.site}` : 'The installation protocol names the site like this.' };
  }

  private async get<T>(path: string, shape: z.ZodType<T>): Promise<T> {
    return shape.parse(await this.act('GET', path));
  }

  private async act(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<unknown> {
    // Without a path the provider's own screen is meant, which has no slash at its end.
    const url = path === '' ? this.url.replace(/\/$/, '') : new URL(path, this.url).href;
    const response = await fetch(url, { method, signal: AbortSignal.timeout(DEADLINE_MS) });
    if (!response.ok)
      throw new ScreenFailed(`${method} ${url} was answered with ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
