/** The adapters of one worker: those of the product, and those that whoever put the worker together has registered. */
import type { z } from 'zod';
import { FAILURE } from '../contract/activities';
import { plainName, PRODUCT_ADAPTERS, type ConnectionTestSetting, type TaskMonitorSetting } from '../contract/provider';
import type { Adapter, AdapterTools } from './adapter';
import { microsoft, type ConnectionTest, type ProvingConnectionTest } from './connection-test';
import { SystemError } from './system-error';
import type { TaskMonitor } from './task-monitor';

/** What adapters of each kind offer to activities. */
interface Kinds {
  taskMonitor: TaskMonitor;
  connectionTest: ConnectionTest;
}

type ByName<Offered> = Readonly<Record<string, Adapter<Offered>>>;
type Registry = { readonly [Kind in keyof Kinds]: ByName<Kinds[Kind]> };

/** What a worker is given beside the product's own adapters, by the name that entries call it by. */
export type RegisteredAdapters = Partial<{
  taskMonitor: ByName<TaskMonitor>;
  /** Of them a success is believed (contract/provider, provesConnection). */
  connectionTest: ByName<ProvingConnectionTest>;
}>;

export class Adapters implements Registry {
  readonly taskMonitor: Registry['taskMonitor'];
  readonly connectionTest: Registry['connectionTest'];

  /** @throws Error when a name is one of the product's, or not a plain one. */
  constructor(
    private readonly tools: AdapterTools,
    registered: RegisteredAdapters = {},
  ) {
    this.taskMonitor = ofOthers('taskMonitor', registered.taskMonitor);
    this.connectionTest = { microsoft, ...ofOthers('connectionTest', registered.connectionTest) };
  }

  monitorTasks(setting: TaskMonitorSetting): TaskMonitor {
    return this.create(this.taskMonitor, setting, {
      system: 'task monitor',
      call: 'reading the tasks',
      byHand: 'A person has to look at the Tasks screen.',
    });
  }

  testConnections(setting: ConnectionTestSetting): ConnectionTest {
    return this.create(this.connectionTest, setting, {
      system: 'connection test',
      call: 'the test',
      byHand: 'A person has to press Test Connection.',
    });
  }

  private create<Offered>(
    adapters: ByName<Offered>,
    { adapter, ...settings }: { adapter: string },
    { byHand, ...about }: { system: string; call: string; byHand: string },
  ): Offered {
    if (adapter === 'gate') {
      const problem = 'is not possible for a program with the adapter gate';
      throw new SystemError({ ...about, type: FAILURE.invalidInput, problem, next: byHand });
    }
    const found = Object.hasOwn(adapters, adapter) ? adapters[adapter] : undefined;
    const parsed = found?.settings.safeParse(settings);
    if (found && parsed?.success) return found.create(parsed.data, this.tools);
    // The worker that has read the entry could use it. An upgrade keeps its entry, so only another worker can help: a later
    // attempt may meet one.
    throw new SystemError({
      ...about,
      type: FAILURE.invalidInventory,
      problem: parsed?.error
        ? `is not possible: the adapter ${adapter} of this worker refuses ${refused(parsed.error)}`
        : `is not possible: this worker has no adapter ${adapter}`,
      next: 'Start all workers of the control plane with the same adapters.',
      retryable: true,
    });
  }
}

function ofOthers<Offered>(kind: keyof Kinds, registered: ByName<Offered> = {}): ByName<Offered> {
  const ours: readonly string[] = PRODUCT_ADAPTERS[kind];
  for (const name of Object.keys(registered)) {
    if (ours.includes(name)) throw new Error(`${kind}: ${name} is an adapter of the product. Take another name.`);
    plainName.parse(name);
  }
  return registered;
}

const refused = ({ issues }: z.ZodError): string => issues.map(({ path }) => path.join('.') || 'all').join(', ');
