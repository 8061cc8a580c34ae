import {
  FAILURE,
  type ActiveTemplate,
  type ActiveTemplatePage,
  type ImportedPackage,
  type TemplateCandidates,
} from '../contract/activities';
import type {
  ApplicationInstance,
  CompanionPackage,
  InstanceNews,
  KnownInstances,
  OperationsFacts,
  ServiceTemplate,
} from '../contract/facts';
import { ACTIVE_TEMPLATE_PAGE, LIMITS, TEMPLATE_PAGE } from '../contract/limits';
import { withoutRelease } from '../contract/versions';
import type { ApsClient } from './aps';
import {
  OFFICE_365_PACKAGE,
  carriesApplication,
  cloudOf,
  hasDnsHosting,
  instanceNameOf,
  isTrialOnCcpV1,
  sellsAzureCsp,
} from './office365';
import type { OperationsClient } from './operations';
import { SystemError, isSystemError } from './system-error';

/** The Office 365 application of one provider, as Operations and the APS controller together describe it. Reads only. */
export class Office365Application {
  constructor(
    private readonly operations: OperationsClient,
    private readonly aps: ApsClient,
  ) {}

  id(): Promise<number | undefined> {
    return this.operations.applicationId(OFFICE_365_PACKAGE);
  }

  /** The package list: its versions of Office 365, and the packages of other applications. */
  async packageList(): Promise<Pick<OperationsFacts, 'enabledVersions' | 'disabledVersions' | 'companions'>> {
    const all = await this.aps.packages();
    const isOwn = ({ application }: CompanionPackage) => application === OFFICE_365_PACKAGE;
    return {
      enabledVersions: all.filter((each) => isOwn(each) && each.enabled).map(({ version }) => version),
      disabledVersions: all.filter((each) => isOwn(each) && !each.enabled).map(({ version }) => version),
      companions: all.filter((each) => !isOwn(each)).map(({ application, version }) => ({ application, version })),
    };
  }

  /** The newest release of that version in the package list; undefined when there is none. */
  async imported(version: string): Promise<ImportedPackage | undefined> {
    const release = (packageVersion: string) => Number(packageVersion.slice(withoutRelease(packageVersion).length + 1));
    const [packageVersion] = (await this.aps.packageVersions(OFFICE_365_PACKAGE))
      .filter((candidate) => withoutRelease(candidate) === withoutRelease(version))
      .sort((a, b) => release(b) - release(a));
    if (packageVersion === undefined) return undefined;
    const applicationId = await this.id();
    // Listed, and no application yet: the import is still going on.
    return applicationId === undefined ? undefined : { applicationId, packageVersion };
  }

  async instances(): Promise<ApplicationInstance[]> {
    const [installed, endpoints] = await this.installed();
    if (installed.length > LIMITS.instances) {
      throw new SystemError({
        type: FAILURE.unexpectedState,
        system: 'Operations',
        call: 'pem.APS.getApplicationInstances',
        problem: `lists ${installed.length} application instances, and one upgrade takes ${LIMITS.instances}`,
        next: "Upgrade this provider by the vendor's procedure.",
      });
    }
    const instances: ApplicationInstance[] = [];
    // One after the other: a provider with many instances must not see a burst of calls.
    for (const { id, resourceId } of installed) instances.push(await this.describe(id, resourceId, endpoints));
    return instances;
  }

  /** What is not as somebody knows it; one call for each instance that is known, and only where `versions` are asked for. */
  async news({ known, versions, endpoints }: KnownInstances): Promise<InstanceNews> {
    const [installed, urls] = await this.installed();
    // The controller lists the applications of another Operations.
    if (urls.size > 0 && !installed.some(({ resourceId }) => urls.has(resourceId)))
      return { added: [], gone: known, changed: [] };
    const news: InstanceNews = {
      added: [],
      gone: known.filter((each) => !installed.some(({ resourceId }) => resourceId === each)),
      changed: [],
    };
    for (const { id, resourceId } of installed) {
      if (!known.includes(resourceId)) news.added.push(await this.describe(id, resourceId, urls));
      else if (versions && !(await this.isAsKnown(id, urls.get(resourceId), versions, endpoints)))
        news.changed.push(await this.describe(id, resourceId, urls));
    }
    return news;
  }

  private async isAsKnown(
    id: number,
    listedUrl: string | undefined,
    versions: readonly string[],
    endpoints: readonly string[],
  ): Promise<boolean> {
    const { status, packageVersion, url } = await this.operations.applicationInstance(id);
    const isOnVersion = status === 'Ready' && versions.includes(withoutRelease(packageVersion));
    return isOnVersion && endpoints.includes(listedUrl ?? url ?? '');
  }

  private async installed(): Promise<[{ id: number; resourceId: string }[], Map<string, string>]> {
    const applicationId = await this.id();
    if (applicationId === undefined) return [[], new Map()];
    return Promise.all([this.operations.applicationInstances(applicationId), this.aps.applicationEndpoints()]);
  }

  private async describe(id: number, resourceId: string, endpoints: Map<string, string>): Promise<ApplicationInstance> {
    const [now, settings, properties] = await Promise.all([
      this.operations.applicationInstance(id),
      this.operations.applicationInstanceSettings(id),
      this.aps.resourceProperties(resourceId),
    ]);
    const endpointUrl = endpoints.get(resourceId) ?? now.url;
    if (!endpointUrl) {
      throw new SystemError({
        type: FAILURE.unexpectedState,
        system: 'APS controller',
        call: 'GET /aps/2/applications',
        object: `application instance ${id}`,
        problem: 'has no Application API end-point URI, and Operations names none either',
        next: 'Look at the General tab of the instance in the Provider Control Panel.',
      });
    }
    return {
      id,
      resourceId,
      name: instanceNameOf(properties) ?? instanceNameOf(settings) ?? `instance ${id}`,
      packageVersion: now.packageVersion,
      status: now.status,
      endpointUrl,
      cloud: cloudOf([properties, settings]),
    };
  }

  /** Those that the APS controller lists by package, or, where it lists none, all (systems.md 1.5). */
  async templateCandidates(): Promise<TemplateCandidates> {
    const listed = await this.templateIdsFromAps();
    if (listed.length > 0) return { ids: listed, listedByApplication: true };
    const isThere = (await this.id()) !== undefined;
    return { ids: isThere ? await this.operations.serviceTemplateIds() : [], listedByApplication: false };
  }

  /** Those of the candidates that have Office 365 resources. */
  async templates({ ids, listedByApplication }: TemplateCandidates): Promise<ServiceTemplate[]> {
    const applicationId = listedByApplication ? undefined : await this.id();
    const templates: ServiceTemplate[] = [];
    for (const candidate of ids) {
      const { id, name, active, resources } = await this.operations.serviceTemplate(candidate, 'resources');
      if (applicationId !== undefined && !carriesApplication(resources, applicationId)) continue;
      templates.push({
        id,
        name,
        active,
        azureCsp: sellsAzureCsp(resources),
        dnsHosting: hasDnsHosting(resources),
        trialOnCcpV1: isTrialOnCcpV1(name, resources),
      });
    }
    return templates;
  }

  /**
   * Those of them that are active now, two calls where the APS controller lists templates by package, and as many as one result takes.
   *
   * @param among what an earlier page has left.
   */
  async activeTemplates(among?: TemplateCandidates): Promise<ActiveTemplatePage> {
    if (among && !among.listedByApplication)
      return { templates: (await this.templates(among)).filter(isActive).map(named) };
    const listed = among?.ids ?? (await this.templateIdsFromAps());
    const active = await this.operations.activeServiceTemplates();
    if (listed.length === 0) {
      const isThere = (await this.id()) !== undefined;
      const ids = isThere ? active.map(({ id }) => id) : [];
      const first = { ids: ids.slice(0, TEMPLATE_PAGE), listedByApplication: false };
      const left = { ids: ids.slice(TEMPLATE_PAGE), listedByApplication: false };
      return { templates: (await this.templates(first)).map(named), ...(left.ids.length > 0 ? { left } : {}) };
    }
    const wanted = new Set(listed);
    const own = active.filter(({ id }) => wanted.has(id));
    const left = { ids: own.slice(ACTIVE_TEMPLATE_PAGE).map(({ id }) => id), listedByApplication: true };
    return { templates: own.slice(0, ACTIVE_TEMPLATE_PAGE), ...(left.ids.length > 0 ? { left } : {}) };
  }

  /** A controller that does not know the type of service templates refuses the question. */
  private async templateIdsFromAps(): Promise<number[]> {
    try {
      return await this.aps.serviceTemplateIds(OFFICE_365_PACKAGE);
    } catch (error) {
      if (isSystemError(error, FAILURE.rejected)) return [];
      throw error;
    }
  }
}

const isActive = ({ active }: ServiceTemplate): boolean => active;
const named = ({ id, name }: ServiceTemplate): ActiveTemplate => ({ id, name });
