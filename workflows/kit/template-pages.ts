import type { OperationsActivities, TemplatePage } from '../../src/contract/activities';
import type { ServiceTemplate } from '../../src/contract/facts';
import type { Calls } from './activities';

type ReadTemplates = Calls<Pick<OperationsActivities, 'readTemplates'>>;
type Input = Parameters<OperationsActivities['readTemplates']>[0];

/** Every Office 365 service template, page by page. @param first page, where somebody has read it. */
export async function allTemplates(
  { readTemplates }: ReadTemplates,
  input: Omit<Input, 'left'>,
  first?: TemplatePage,
): Promise<ServiceTemplate[]> {
  const read = (left?: Input['left']): Promise<TemplatePage> =>
    readTemplates('read Office 365 service templates', { ...input, ...(left ? { left } : {}) });
  const pages = [first ?? (await read())];
  for (let left = pages[0]?.left; left; left = pages.at(-1)?.left) pages.push(await read(left));
  return pages.flatMap(({ templates }) => templates);
}
