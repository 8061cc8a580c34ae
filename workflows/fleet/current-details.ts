/** The Markdown that the Temporal UI shows as a fleet's, or a wave's, current details. */
import {
  FLEET_PROVIDER_STATES,
  type FleetCounts,
  type FleetProvider,
  type FleetStatus,
} from '../../src/contract/fleet';
import { plain } from '../kit/plain-text';

export function fleetDetails(status: FleetStatus): string {
  const { state, counts, budget, waves, paused, asks, maxParallel, leftOut, fleet } = status;
  return [
    `**${fleet}: ${state}**`,
    '',
    `- ${words(counts)}; left out: ${leftOut}`,
    `- Broken (failed, unreachable, held): ${budget.broken} of ${budget.allowed} that may be`,
    `- At once: ${maxParallel}`,
    ...(paused ? [`- Paused by ${plain(paused.by)} since ${paused.since}: ${plain(paused.reason)}`] : []),
    ...waves.map(
      (wave) =>
        `- Wave ${wave.wave} (${wave.state}): ${words(wave.counts)}; broken ${wave.budget.broken} of ${wave.budget.allowed}`,
    ),
    ...(asks
      ? [
          '',
          `✋ **${plain(asks.problem)}** (since ${asks.since})`,
          '',
          `Signal \`${asks.answer.name}\`: \`${JSON.stringify(asks.answer.payload)}\``,
        ]
      : []),
    '',
    'At any time, each with `{"by":"<who>","reason":"<why>"}`: `pause`, `resume`, `abort`, and `setMaxParallel` with `"maxParallel"` as well.',
  ].join('\n');
}

const MAX_LISTED = 20;

export function waveDetails(title: string, counts: FleetCounts, providers: readonly FleetProvider[]): string {
  const troubled = providers.filter(({ state }) => ['held', 'parked', 'failed', 'unreachable'].includes(state));
  return [
    `**${title}**: ${words(counts)}`,
    '',
    ...troubled
      .slice(0, MAX_LISTED)
      .map(({ provider, state, cause, problem = '' }) => `- ${provider}: ${state} (${cause ?? ''}) ${plain(problem)}`),
    ...(troubled.length > MAX_LISTED ? [`- and ${troubled.length - MAX_LISTED} more`] : []),
  ].join('\n');
}

const words = (counts: FleetCounts): string =>
  FLEET_PROVIDER_STATES.filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${state}`)
    .join(', ') || 'nobody';
