/** The processes of a demo: this same program, with the demo's server instead of the user's own. */
import path from 'node:path';
import { PACKAGE_ROOT } from '../../package-root';
import type { CliContext } from '../kit/context';
import type { Pace } from '../operations/sandbox-options';
import { Companion } from './companion';
import type { DemoWorld } from './demo-world';
import type { Ports } from './ports';

/** The program itself, as everybody starts it. */
const PROGRAM = path.join(PACKAGE_ROOT, 'tools', 'onward.mjs');

export interface CompanionOrder {
  /** For people: `control-plane worker`. */
  name: string;
  /** Name of its log. */
  log: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

export class Companions {
  constructor(
    private readonly context: CliContext,
    private readonly world: DemoWorld,
    /** Of the Temporal server. */
    private readonly address: string,
    private readonly print: (line: string) => void,
    /** What has to be ended, in the order in which it was started. */
    private readonly closers: (() => Promise<void>)[],
  ) {}

  async start({ name, log, args, env = {} }: CompanionOrder): Promise<void> {
    // The user's own Temporal settings are about other servers.
    const own = Object.entries(this.context.env).filter(([key]) => !key.startsWith('TEMPORAL_'));
    const companion = await Companion.start({
      name,
      module: PROGRAM,
      args,
      env: {
        ...Object.fromEntries(own),
        TEMPORAL_ADDRESS: this.address,
        TEMPORAL_CONFIG_FILE: this.world.temporalConfig,
        // Its logs are read by people.
        ONWARD_LOG: 'text',
        ...env,
      },
      logFile: this.world.log(log),
      print: this.print,
    });
    this.closers.push(() => companion.stop());
  }

  startSandbox(ports: Ports, pace: Pace, more: string[]): Promise<void> {
    const { sandbox, inventory } = this.world;
    return this.start({
      name: 'sandbox',
      log: 'sandbox',
      args: [
        'sandbox',
        ...['--data', sandbox, '--inventory', inventory, '--pace', pace],
        ...['--operations-port', `${ports.operations}`, '--aps-port', `${ports.aps}`],
        ...['--billing-port', `${ports.billing}`, '--microsoft-port', `${ports.microsoft}`],
        ...['--control-port', `${ports.control}`],
        ...more,
      ],
    });
  }

  startControlPlane(): Promise<void> {
    const args = ['worker', '--inventory', this.world.inventory, '--sandbox'];
    return this.start({ name: 'control-plane worker', log: 'worker', args });
  }
}
