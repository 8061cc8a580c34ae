/** What the rules and the dashboard ask for. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

export const MONITORING = path.join(__dirname, '../../monitoring');

export interface Rule {
  alert: string;
  expr: string;
  annotations: { summary: string; description: string; runbook: string };
}

export function alertRules(): Rule[] {
  const text = readFileSync(path.join(MONITORING, 'alerts.yml'), 'utf8');
  return (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
}

export interface Query {
  title: string;
  expr: string;
}

export function dashboardQueries(): Query[] {
  const text = readFileSync(path.join(MONITORING, 'dashboard.json'), 'utf8');
  const { panels } = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] };
  return panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })));
}

/** Names of the metrics in a query of Prometheus. */
export const metricsIn = (expr: string): string[] => expr.match(/\b(onward|temporal)_\w+/g) ?? [];
