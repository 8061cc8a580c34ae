/**
 * What people do by hand in the vendor's and Microsoft's user interfaces, where no API exists. Nothing here has a vendor
 * counterpart; it is reached through `/_sim/` only (systems.md section 8, item 11).
 */
import { SUBDOMAIN_PARAMETER, refreshTokenValue } from './create';
import { seededUuid } from './seeded';
import type { EarlyEnd, Instance, Provider, RefreshToken, Task } from './state';
import { newestVersion, openTask } from './upgrades';
import { Impossible, UnknownObject, type World } from './world';

const DAY_MS = 24 * 60 * 60_000;

/** A refresh token is good for 90 days (release notes, "New Application Security Model"). */
export const REFRESH_TOKEN_LIFETIME_MS = 90 * DAY_MS;

/** What Microsoft says where a policy of the tenant ends a token earlier (field report C1); words shortened. */
const EARLY_ENDS: Record<EarlyEnd['code'], string> = {
  50078: 'Presented multi-factor authentication has expired due to policies configured by your administrator.',
  70043: 'The refresh token has expired or is invalid due to sign-in frequency checks by conditional access.',
  53003: 'Access has been blocked by Conditional Access policies.',
};

/** Billing > Service Templates > the template > Service Parameters > Delete (systems.md 3.3). */
export function removeParameter(world: World, provider: Provider, serviceTemplateId: number, parameter: string): void {
  const template = provider.billingTemplates.find((other) => other.serviceTemplateId === serviceTemplateId);
  if (!template) throw new UnknownObject(`billing service template ${serviceTemplateId} does not exist`);
  if (!template.parameters.some(({ id }) => id === parameter)) {
    throw new UnknownObject(`billing service template ${serviceTemplateId} has no parameter '${parameter}'`);
  }
  template.parameters = template.parameters.filter(({ id }) => id !== parameter);
  world.effect(provider, {
    system: 'sim',
    name: 'parameterRemoved',
    object: `${serviceTemplateId}/${parameter}`,
  });
}

/** The store's order form now asks for what Billing's templates ask for (systems.md 3.4). */
export function synchroniseStore(world: World, provider: Provider, storeId: string): void {
  const store = provider.stores.find((other) => other.id === storeId);
  if (!store) throw new UnknownObject(`online store '${storeId}' does not exist`);
  if (!store.active) throw new Impossible(`online store '${storeId}' is not active`);
  const known = provider.billingTemplates.flatMap(({ parameters }) => parameters.map(({ id }) => id));
  store.asksFor = store.sellsOffice365 ? [...new Set(known)].filter((id) => id !== SUBDOMAIN_PARAMETER) : [];
  store.synchronisedAt = world.now();
  world.effect(provider, { system: 'sim', name: 'storeSynchronised', object: storeId });
}

/** Installs the customization of the imported version in the control panel (`controlPanel`) or in a store (KB #130232). */
export function updateCustomization(world: World, provider: Provider, target: string): void {
  const installed = provider.customizations[target];
  if (installed === undefined) {
    const known = Object.keys(provider.customizations).join(', ');
    throw new UnknownObject(`'${target}' has no Office 365 customization; there are: ${known}`);
  }
  const version = newestVersion(provider);
  if (installed === version) throw new Impossible(`the customization of '${target}' is of ${version} already`);
  provider.customizations[target] = version;
  world.effect(provider, { system: 'sim', name: 'customizationUpdated', object: target });
}

/** Switches the application's synchronisation off or on, in the vendor's screens. */
export function setSynchronisation(world: World, provider: Provider, wanted: Provider['synchronisation']): void {
  if (provider.synchronisation === wanted) throw new Impossible(`the synchronisation is ${wanted} already`);
  provider.synchronisation = wanted;
  world.effect(provider, {
    system: 'sim',
    name: wanted === 'on' ? 'synchronisationStarted' : 'synchronisationStopped',
  });
}

export interface Consent {
  /** Tenant that the administrator signs in to; that of the instance by default. */
  tenant?: string | undefined;
  /** Whether the administrator signs in with multi-factor authentication. */
  mfa?: boolean | undefined;
  /** Whether a policy of the tenant ends the token early. */
  ends?: EarlyEnd | undefined;
}

/** A CSP administrator gives consent in Microsoft's page, and the application keeps the refresh token (systems.md 5.5). */
export function giveConsent(world: World, provider: Provider, instance: Instance, consent: Consent = {}): void {
  const { version, signIn } = world.versions.of(instance.packageVersion);
  if (signIn === 'storedUser') {
    throw new Impossible(`instance '${instance.name}' is of ${version}, which has no Manage Refresh Token`);
  }
  const tenant = consent.tenant ?? instance.tenant;
  const issuedAt = world.now();
  instance.refreshToken = {
    tenant,
    mfa: consent.mfa ?? true,
    issuedAt,
    value: refreshTokenValue(seededUuid(provider.seed, provider.id, tenant, String(issuedAt))),
    ...(consent.ends && { ends: consent.ends }),
  };
  world.effect(provider, {
    system: 'microsoft',
    name: 'consentGiven',
    object: String(instance.instanceId),
    detail: { tenant },
  });
}

/** Somebody gets a refresh token of the instance's account for himself; the application knows nothing of it. */
export function issueForeignToken(world: World, provider: Provider, instance: Instance): RefreshToken {
  const { tenant } = instance;
  const issuedAt = world.now();
  const value = refreshTokenValue(seededUuid(provider.seed, provider.id, tenant, 'foreign', String(issuedAt)));
  instance.foreignToken = { tenant, mfa: true, issuedAt, value };
  world.save(provider);
  return instance.foreignToken;
}

/** An instance by its Operations id, its resource id or its name; throws {@link UnknownObject}. */
export function findInstance(provider: Provider, key: string): Instance {
  const found = provider.instances.find(
    ({ instanceId, resourceId, name }) => key === String(instanceId) || key === resourceId || key === name,
  );
  if (!found) throw new UnknownObject(`provider '${provider.id}' has no application instance '${key}'`);
  return found;
}

/** Why Microsoft takes this token no longer, as it would say so; undefined while it does. */
export function tokenEnded(world: World, token: RefreshToken): { code: number; text: string } | undefined {
  const age = world.now() - token.issuedAt;
  if (token.ends && age >= token.ends.afterDays * DAY_MS)
    return { code: token.ends.code, text: EARLY_ENDS[token.ends.code] };
  if (age < REFRESH_TOKEN_LIFETIME_MS) return undefined;
  return { code: 700082, text: 'The refresh token has expired due to inactivity.' };
}

export interface ConnectionTest {
  success: boolean;
  checks: { name: 'PartnerCenter' | 'Graph'; ok: boolean; message?: string }[];
}

/** What *Test Connection* shows. Assumption: texts and shape of systems.md 5.6. */
export function testConnection(world: World, instance: Instance): ConnectionTest {
  const problem = connectionProblem(world, instance);
  const check = (name: 'PartnerCenter' | 'Graph', message: string | undefined) =>
    message === undefined ? { name, ok: true } : { name, ok: false, message };
  const checks = [check('PartnerCenter', problem?.partnerCenter), check('Graph', problem?.graph)];
  return { success: checks.every(({ ok }) => ok), checks };
}

function connectionProblem(world: World, instance: Instance): { partnerCenter: string; graph?: string } | undefined {
  if (instance.storedUser) return undefined;
  const token = instance.refreshToken;
  const both = (text: string) => ({ partnerCenter: text, graph: text });
  if (!token) return both('The refresh token is missing.');
  const ended = tokenEnded(world, token);
  if (ended) return both(`AADSTS${ended.code}: ${ended.text}`);
  if (token.tenant !== instance.tenant) {
    return both(`The refresh token belongs to ${token.tenant}, the CSP partner account is ${instance.tenant}.`);
  }
  if (!token.mfa) return { partnerCenter: '403 Forbidden: multi-factor authentication is missing.' };
  return undefined;
}

/** Somebody adds work by hand: an Office 365 task that waits until it is processed. */
export function createTask(
  world: World,
  provider: Provider,
  task: Pick<Task, 'name' | 'status' | 'periodic'> & {
    queue?: string | undefined;
    processedAfterMs?: number | undefined;
  },
): Task {
  const { processedAfterMs, queue, ...shown } = task;
  const created = world.addTask(provider, {
    ...shown,
    ...(queue === undefined ? {} : { queue }),
    drains: false,
    ...(processedAfterMs !== undefined && { dueAt: world.now() + processedAfterMs }),
  });
  world.effect(provider, { system: 'sim', name: 'taskCreated', object: String(created.id) });
  return created;
}

/** Somebody finishes or removes a task by hand in the task manager. Upgrades go on by `rescheduleTask` instead. */
export function processTask(world: World, provider: Provider, taskId: number): void {
  const task = openTask(provider, taskId);
  if (task.completes?.kind === 'upgrade') {
    throw new Impossible(`task #${taskId} upgrades an instance: reschedule it instead`);
  }
  delete task.failure;
  task.dueAt = world.now();
  world.settle(provider);
}
