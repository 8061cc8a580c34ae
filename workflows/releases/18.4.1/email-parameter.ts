import type { ServiceParameter } from '../../steps/remove-service-parameter';

/** "Remove the o365_based_on_email service parameter from all Office 365 service templates in OA Billing." */
export const EMAIL_PARAMETER: ServiceParameter<'o365_based_on_email'> = {
  name: 'o365_based_on_email',
  step: 'removeEmailParameter',
  stays: { name: 'aps_defaults_o365', why: 'the subdomain form needs it' },
};
