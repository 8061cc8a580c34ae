/** The workflows for the invented catalogue. */
import { upgradeAlong } from '../../workflows/upgrade/upgrade-provider';
import { INVENTED } from './invented-releases';

export { guardConsent } from '../../workflows/consent/guard-consent';
export { deliverNotice } from '../../workflows/kit/deliver-notice';
export const upgradeProvider = upgradeAlong(INVENTED);
