/** Every metric that a rule or the dashboard asks for is one that somebody emits. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ExportedMetrics } from '../../src/cli/operations/exporter/metrics';
import { EVERYTHING, LOOKED_AT } from './everything-seen';
import { alertRules, dashboardQueries, metricsIn } from './names';

const asked = [
  ...alertRules().map(({ alert, expr }) => ({ by: alert, expr })),
  ...dashboardQueries().map(({ title, expr }) => ({ by: title, expr })),
].flatMap(({ by, expr }) => metricsIn(expr).map((metric) => ({ by, metric })));

/** Those of the workers have a test of their own, on a worker (./worker.full.test.ts). */
const OF_WORKERS = /^onward_(answers|system_call_duration)_/;

test('those of Onward are the exporter’s, each with a sample, or the workers’', async () => {
  const metrics = new ExportedMetrics('1.2.3');
  metrics.show(EVERYTHING, LOOKED_AT, 1);
  const exported = new Set((await metrics.registry.metrics()).match(/^onward_\w+/gm));
  const own = asked.filter(({ metric }) => metric.startsWith('onward_') && !OF_WORKERS.test(metric));
  expect(own.length).toBeGreaterThan(20);
  expect(own.filter(({ metric }) => !exported.has(metric))).toEqual([]);
});

test('those of Temporal are in the SDK’s core, by their names before Prometheus adds unit and kind', () => {
  const bridge = path.dirname(require.resolve('@temporalio/core-bridge/package.json'));
  const [library] = readdirSync(path.join(bridge, 'releases'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.node'),
  );
  const core = readFileSync(path.join(bridge, 'releases', library ?? ''), 'latin1');
  const known = (metric: string): boolean =>
    core.includes(metric.replace(/^temporal_/, '').replace(/(_total|_seconds_(bucket|count|sum))$/, ''));
  const ofSdk = asked.filter(({ metric }) => metric.startsWith('temporal_'));
  expect(ofSdk.length).toBeGreaterThan(2);
  expect(ofSdk.filter(({ metric }) => !known(metric))).toEqual([]);
  expect(known('temporal_workflow_task_execution_failled_total')).toBe(false);
});
