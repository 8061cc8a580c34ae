import type { OperationsActivities, TemplatePage } from '../../src/contract/activities';
import type { ServiceTemplate } from '../../src/contract/facts';
import { TEMPLATE_PAGE } from '../../src/contract/limits';
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
