/** One look at a fleet: what it says of itself, who of it needs someone, and when it will be done. */
import type { FleetPlan } from '../../contract/fleet';
import type { UpgradeStatus } from '../../contract/status';
import { asCliError } from '../kit/cli-error';
import { isOver } from '../kit/execution';
import { estimateEnd, type Estimate } from './estimate';
import type { Fleets, FleetView } from './fleets';

export interface FleetLook extends FleetView {
  needs: Needs;
  estimate?: Estimate | undefined;
}

/** Upgrades that wait for people: how many, and the first of them with what they ask for. */
export interface Needs {
  count: number;
  upgrades: Pick<UpgradeStatus, 'provider' | 'gates' | 'holds' | 'state'>[];
}

/** Each of them is asked, which takes a worker's time. */
const ASKED = 8;
/** More upgrades hardly run at once. */
const RUNNING = 1000;

/** @param soak of the fleet's request, in seconds */
export async function lookAt(fleets: Fleets, name: string, soak: number, now: Date): Promise<FleetLook> {
  const view = await fleets.view(name);
  if (isOver(view)) return { ...view, needs: { count: 0, upgrades: [] } };
  const running = await fleets.running(name, RUNNING);
  const steps = running.filter(({ state }) => state === 'running').map(({ step }) => step);
  return { ...view, needs: await needsOf(fleets, name), estimate: estimateEnd(view.status, steps, { soak, now }) };
}

async function needsOf(fleets: Fleets, name: string): Promise<Needs> {
  const { count, upgrades } = await fleets.waiting(name, ASKED);
  const asked = await Promise.all(
    upgrades.map(async ({ provider }) => {
      try {
        const { status } = await fleets.upgrades.view(provider);
        return [status];
      } catch (error) {
        // The list is a little older than the truth: it may have ended since.
        if (asCliError(error).kind === 'notFound') return [];
        throw error;
      }
    }),
  );
  return { count, upgrades: asked.flat().filter(({ gates, holds }) => gates.length + holds.length > 0) };
}

export const soakOf = ({ request }: FleetPlan): number => request.soak;
