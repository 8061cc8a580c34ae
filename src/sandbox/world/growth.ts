/** What others do to a provider while an upgrade of it waits: they add and remove instances and templates, import packages, open sales again. */
import { withoutRelease } from '../../contract/versions';
import { createInstance, createTemplate } from './create';
import { template } from './provisioning';
import { seededUuid } from './seeded';
import { completeGateway, gatewaySpec, instanceSpec, type GatewaySpec } from './spec';
import { OFFICE_365, type Instance, type Provider, type Template } from './state';
import { Impossible, UnknownObject, type World } from './world';

/** Somebody installs an instance for another partner account, on a gateway that is there or on one that he installs for it. */
export function addInstance(
  world: World,
  provider: Provider,
  {
    gateway,
    ...wanted
  }: { name: string; packageVersion?: string; cloud?: Instance['cloud']; gateway?: number | { host: string } },
): Instance {
  const { id, seed, sourceVersion } = provider;
  const packageVersion = wanted.packageVersion ?? world.versions.of(sourceVersion).packageVersion;
  const index = typeof gateway === 'object' ? addGateway(provider, gateway.host, packageVersion) : (gateway ?? 0);
  if (!provider.gateways[index]) throw new UnknownObject(`provider '${id}' has no gateway ${index}`);
  const instanceId = Math.max(...provider.instances.map((each) => each.instanceId)) + 1;
  const spec = { ...instanceSpec.parse({ name: wanted.name, cloud: wanted.cloud }), packageVersion, gateway: index };
  const added = createInstance({ id, seed }, spec, instanceId, world.versions);
  provider.instances.push(added);
  world.effect(provider, {
    system: 'sim',
    name: 'instanceAdded',
    object: String(instanceId),
    detail: { packageVersion },
  });
  return added;
}

function addGateway({ id, seed, name, gateways }: Provider, host: string, packageVersion: string): number {
  const added: GatewaySpec = completeGateway(
    id,
    seed,
    name,
    { ...gatewaySpec.parse({ host }), packageVersion },
    gateways.length,
  );
  return gateways.push(added) - 1;
}

/** Somebody removes an instance: its partner account is gone. */
export function removeInstance(world: World, provider: Provider, instanceId: number): void {
  const index = provider.instances.findIndex((each) => each.instanceId === instanceId);
  if (index < 0) throw new UnknownObject(`provider '${provider.id}' has no instance ${instanceId}`);
  provider.instances.splice(index, 1);
  world.effect(provider, { system: 'sim', name: 'instanceRemoved', object: String(instanceId) });
}

/** Somebody makes another offer of Office 365, which can be subscribed at once. */
export function addTemplate(world: World, provider: Provider, name: string): Template {
  const templateId = Math.max(...provider.templates.map((each) => each.templateId)) + 1;
  const added = createTemplate(provider, templateId, name, true);
  provider.templates.push(added);
  world.effect(provider, { system: 'sim', name: 'templateAdded', object: String(templateId) });
  return added;
}

/** Somebody deletes an offer, whether it is active or not. */
export function removeTemplate(world: World, provider: Provider, templateId: number): void {
  const removed = template(provider, templateId);
  provider.templates.splice(provider.templates.indexOf(removed), 1);
  world.effect(provider, { system: 'sim', name: 'templateRemoved', object: String(templateId) });
}

/** Somebody lets customers subscribe to an offer again, whoever has switched it off. */
export function reopenTemplate(world: World, provider: Provider, templateId: number): void {
  template(provider, templateId).active = true;
  world.effect(provider, { system: 'sim', name: 'templateReopened', object: String(templateId) });
}

/** Somebody imports a package of Office 365, `19.0-1`; instances can get it at once. */
export function addPackage(world: World, provider: Provider, packageVersion: string): void {
  const version = withoutRelease(packageVersion);
  const release = packageVersion.slice(version.length + 1);
  const application = provider.applications.find(({ apsId }) => apsId === OFFICE_365);
  if (!application) throw new Impossible(`provider '${provider.id}' has no Office 365`);
  const id = seededUuid(provider.seed, provider.id, 'package', packageVersion);
  const { applicationId } = application;
  provider.packages.push({ id, applicationId, version, release, enabled: true, upgradeRelations: true });
  world.effect(provider, { system: 'sim', name: 'packageAdded', object: packageVersion });
}

/** Applications > Office 365 > Versions > Enable, Disable. */
export function setPackageEnabled(world: World, provider: Provider, packageVersion: string, enabled: boolean): void {
  const found = provider.packages.find(({ version, release }) => `${version}-${release}` === packageVersion);
  if (!found) throw new UnknownObject(`provider '${provider.id}' has no package ${packageVersion}`);
  found.enabled = enabled;
  world.save(provider);
}
