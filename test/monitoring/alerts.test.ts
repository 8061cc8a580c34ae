/**
 * The alerts, as Prometheus itself judges them.
 *
 * @needs promtool
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { patience } from '../kit/deadlines';
import { alertRules, MONITORING } from './names';

const promtool = (...args: string[]) => promisify(execFile)('promtool', args, { timeout: patience(60_000) });
const TESTS = path.join(__dirname, 'alerts.promtool.yml');

test('each fires when it should, and not before', async () => {
  await promtool('check', 'rules', path.join(MONITORING, 'alerts.yml'));
  const { stdout } = await promtool('test', 'rules', TESTS);
  expect(stdout).toContain('SUCCESS');
  const tested = await readFile(TESTS, 'utf8');
  expect(alertRules().filter(({ alert }) => !tested.includes(`alertname: ${alert}\n`))).toEqual([]);
});

test('a mistake in a rule is noticed', async () => {
  const wrong = path.join(__dirname, 'wrong-limit.promtool.yml');
  await expect(promtool('test', 'rules', wrong)).rejects.toMatchObject({ stderr: expect.stringContaining('FAILED') });
});

test('each says what to do, in a section of the runbook', async () => {
  const runbook = await readFile(path.join(MONITORING, '../docs/runbook.md'), 'utf8');
  const sections = [...runbook.matchAll(/^## (\w+)$/gm)].map(
    ([, name = '']) => `docs/runbook.md#${name.toLowerCase()}`,
  );
  const rules = alertRules();
  expect(rules.length).toBeGreaterThan(0);
  expect(rules.map(({ annotations }) => annotations.runbook)).toEqual(sections);
  for (const { alert, annotations } of rules)
    expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
});
