import { z } from 'zod';

/** Where a provider's screens are, in the control API of its sandbox: `.../_sim/providers/<provider>/`. */
export const controlApi = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
});
