/** The sandbox operator of many upgrades at once: looks at those that wait for people, some at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import { SandboxOperator, type OperatorEvent, type OperatorOptions } from './operator';

export interface FleetOperatorOptions extends Pick<OperatorOptions, 'resolves' | 'decides' | 'delayMs'> {
  /** Providers whose upgrades wait for people now. */
  waiting: () => Promise<string[]>;
  upgrade: (provider: string) => OperatorOptions['upgrade'];
  /** `.../_sim/providers/<provider>/` */
  controlUrl: (provider: string) => string;
  onEvent?: (provider: string, event: OperatorEvent) => void;
  everyMs: number;
  /** Sends the operator home. */
  signal: AbortSignal;
}

/** Upgrades that are looked at at once. */
const AT_ONCE = 4;

/** Works until `signal` aborts. */
export async function runFleetOperator(options: FleetOperatorOptions): Promise<void> {
  const operators = new Map<string, SandboxOperator>();
  const operatorOf = (provider: string): SandboxOperator => {
    const operator = operators.get(provider) ?? newOperator(options, provider);
    operators.set(provider, operator);
    return operator;
  };
  while (!options.signal.aborted) {
    const providers = await options.waiting();
    for (let first = 0; first < providers.length && !options.signal.aborted; first += AT_ONCE) {
      await Promise.all(providers.slice(first, first + AT_ONCE).map((provider) => operatorOf(provider).look()));
    }
    await delay(options.everyMs, undefined, { signal: options.signal }).catch((error: unknown) => {
      if (!options.signal.aborted) throw error;
    });
  }
}

function newOperator(
  { upgrade, controlUrl, onEvent, resolves, decides, delayMs }: FleetOperatorOptions,
  provider: string,
): SandboxOperator {
  return new SandboxOperator({
    upgrade: upgrade(provider),
    controlUrl: controlUrl(provider),
    ...(resolves === undefined ? {} : { resolves }),
    ...(decides === undefined ? {} : { decides }),
    ...(delayMs === undefined ? {} : { delayMs }),
    onEvent: (event) => onEvent?.(provider, event),
  });
}
