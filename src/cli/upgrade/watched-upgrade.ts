import type { Watched } from '../kit/watch';
import { progressLines, waitingLines } from './change-lines';
import { statusLines } from './status-view';
import type { Upgrades, UpgradeView } from './upgrades';

/** An upgrade, as something to watch until it is over. */
export const watchedUpgrade = (upgrades: Upgrades, provider: string): Watched<UpgradeView> => ({
  view: () => upgrades.view(provider),
  lines: statusLines,
  changes: (before, next, { now, calling }) => ({
    done: progressLines(before, next, now),
    asked: waitingLines(before, next, calling),
  }),
  goesOn: `the upgrade of ${provider} goes on`,
});
