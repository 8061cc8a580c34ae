/** The provider that the root of the ports belongs to: a client that knows nothing but host and port meets it there (systems.md 1.1). */
import type { Provider } from '../world/state';
import type { World } from '../world/world';

export type RootProvider = () => Provider | undefined;

/** The one that was named; where none was, the only one. */
export function rootProvider(world: World, named: string | undefined): RootProvider {
  return () => {
    const all = world.providers();
    if (named === undefined) return all.length === 1 ? all[0] : undefined;
    return all.find(({ id }) => id === named);
  };
}
