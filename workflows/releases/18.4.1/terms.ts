import { releaseTerms } from '../../engine/terms';
import type { EveryInstanceHasToken, On, ParameterGone } from '../../steps/facts';
import type { Validated } from '../../steps/facts';

/** What stands at the end of every path of 18.4.1. */
export type Owed = EveryInstanceHasToken & ParameterGone<'o365_based_on_email'> & Validated & On<'provisioning'>;

export const terms = releaseTerms<Owed>({
  version: '18.4.1',
  obligations: {
    everyInstanceHasToken: 'For every application instance of the Office 365 application, acquire a refresh token.',
    'gone:o365_based_on_email':
      'Remove the o365_based_on_email service parameter from all Office 365 service templates in OA Billing.',
    connectionTestedAt: 'Perform post-upgrade validation.',
    'on:provisioning': 'Start provisioning Office 365 services.',
  },
});
