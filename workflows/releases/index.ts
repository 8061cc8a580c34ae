import type { UpgradePath } from '../engine/path';
import { from183 } from './18.4.1/from-18.3';
import { from184 } from './18.4.1/from-18.4';

/** Every path there is. A new one is a file beside this one, and a line here. */
export const PATHS: readonly UpgradePath[] = [from183, from184];
