import type { Polling } from '../../../activities/polling';
import { patience } from '../deadlines';

/** A sandbox answers at once, so waiting activities look often. */
export const QUICK_LOOKS: Polling = { firstGapMs: 5, longestGapMs: 50, absenceMs: patience(100) };
