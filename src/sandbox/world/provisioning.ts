/** Service templates: what Operations lets customers subscribe to (systems.md 1.5). */
import type { Provider, Template } from './state';
import { UnknownObject, type World } from './world';

/** Throws {@link UnknownObject}. */
export function template(provider: Provider, templateId: number): Template {
  const found = provider.templates.find((other) => other.templateId === templateId);
  if (!found) throw new UnknownObject(`Service template #${templateId} does not exist.`);
  return found;
}

/** Assumption: activating an active template, and the other way round, succeeds and changes nothing (systems.md 1.5). */
export function setActive(world: World, provider: Provider, templateId: number, active: boolean): void {
  const changed = template(provider, templateId);
  if (changed.active === active) return;
  changed.active = active;
  world.effect(provider, {
    system: 'operations',
    name: active ? 'templateActivated' : 'templateDeactivated',
    object: String(templateId),
  });
  world.settle(provider);
}
