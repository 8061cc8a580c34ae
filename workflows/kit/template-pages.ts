import type { ActiveTemplate, OperationsActivities, TemplatePage } from '../../src/contract/activities';
import type { ServiceTemplate } from '../../src/contract/facts';
import { ACTIVE_TEMPLATE_PAGE, TEMPLATE_PAGE } from '../../src/contract/limits';
import type { Calls } from './activities';
import { inBatches, settleEach } from './settle-all';

type ReadTemplates = Calls<Pick<OperationsActivities, 'readTemplates'>>;
type Input = Omit<Parameters<OperationsActivities['readTemplates']>[0], 'candidates'>;

/** Every Office 365 service template, page by page. @param first page, where somebody has read it. */
export async function allTemplates(
  { readTemplates }: ReadTemplates,
  input: Input,
  first?: TemplatePage,
): Promise<ServiceTemplate[]> {
  const summary = 'read Office 365 service templates';
  const { templates, left } = first ?? (await readTemplates(summary, input));
  if (!left) return templates;
  const others = await settleEach(inBatches(left.ids, TEMPLATE_PAGE), 1, (ids) =>
    readTemplates(summary, { ...input, candidates: { ...left, ids } }),
  );
  return [...templates, ...others.flatMap((page) => page.templates)];
}

/** Every Office 365 service template that is active, page by page where they are too many for one result. */
export async function activeTemplates(
  { readActiveTemplates }: Calls<Pick<OperationsActivities, 'readActiveTemplates'>>,
  input: Input,
): Promise<ActiveTemplate[]> {
  const summary = 'read active Office 365 templates';
  const first = await readActiveTemplates(summary, input);
  if (Array.isArray(first)) return first;
  const { templates, left } = first;
  if (!left) return templates;
  const size = left.listedByApplication ? ACTIVE_TEMPLATE_PAGE : TEMPLATE_PAGE;
  const others = await settleEach(inBatches(left.ids, size), 1, (ids) =>
    readActiveTemplates(summary, { ...input, candidates: { ...left, ids } }),
  );
  return [...templates, ...others.flatMap((page) => (Array.isArray(page) ? page : page.templates))];
}
