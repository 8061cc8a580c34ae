/** `onward inventory draft` against the systems of a sandbox. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { closeConnections } from '../../src/systems/http';
import { SIMULATED_RELEASES } from '../../workflows/releases';
import { onward, type Run } from './fake-upgrades';

const NAME = 'CSP "EMEA"\n# stores: []';

let sandbox: Sandbox;
let folder: string;

beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    providers: [
      {
        id: 'contoso',
        instances: [{ name: NAME }, { name: 'CSP US' }],
        gateways: 2,
        operationsLogin: { user: 'api', password: 'swordfish-of-operations' },
        billingLogin: { user: 'api', password: 'marlin-of-billing' },
      },
    ],
  });
  process.env['ONWARD_TEST_OPERATIONS'] = 'swordfish-of-operations';
  process.env['ONWARD_TEST_BILLING'] = 'marlin-of-billing';
});
afterAll(async () => {
  delete process.env['ONWARD_TEST_OPERATIONS'];
  delete process.env['ONWARD_TEST_BILLING'];
  closeConnections();
  await sandbox?.close();
});
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'onward-draft-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function draft(...more: string[]): Promise<Run> {
  const { urls, caFile } = sandbox;
  return onward([
    ...['inventory', 'draft', 'contoso', '--inventory', folder, '--ca-file', caFile],
    ...['--operations', urls.operations('contoso'), '--operations-user', 'api', '--aps', urls.aps('contoso')],
    ...['--billing', urls.billing('contoso'), '--billing-user', 'api', '--billing-password', 'env:ONWARD_TEST_BILLING'],
    ...(more.includes('--operations-password') ? [] : ['--operations-password', 'env:ONWARD_TEST_OPERATIONS']),
    ...more,
  ]);
}

const file = (): string => path.join(folder, 'contoso.yaml');

test('a draft has what the systems tell, changes none of them, holds no secret, and says what is missing', async () => {
  const [plan] = sandbox.world.provider('contoso').plans;
  const { code, stdout, stderr } = await draft('--plan', String(plan?.planId), '--plan', '999999');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('2 instances, 2 gateway hostnames');
  const text = readFileSync(file(), 'utf8');
  expect(text).not.toMatch(/swordfish|marlin/);
  expect(text).toContain('CSP US');
  expect(text).toContain('TODO: not read: plan 999999');
  const entry: unknown = parse(text);
  expect(entry).toMatchObject({
    provider: 'contoso',
    operations: { url: sandbox.urls.operations('contoso'), user: 'api', password: 'env:ONWARD_TEST_OPERATIONS' },
    billing: { password: 'env:ONWARD_TEST_BILLING' },
    plans: [plan?.planId],
    packages: { '18.4.1': {} },
  });
  // A name is a comment, whatever it is made of.
  expect(entry).not.toHaveProperty('stores');
  expect(sandbox.journal.entries({ kind: 'effect' })).toEqual([]);
  const check = await onward(['inventory', 'check', '--inventory', folder]);
  expect(check.code).toBe(2);
  for (const field of ['stores', 'endpointHosts', 'packages.18.4.1.url'])
    expect(check.stderr).toContain(`: ${field}: `);
});

test('it never overwrites: not its file, and not an entry that is in another one', async () => {
  writeFileSync(file(), 'mine');
  expect(await draft()).toMatchObject({ code: 3, stderr: expect.stringContaining('already, at') as string });
  expect(readFileSync(file(), 'utf8')).toBe('mine');
  rmSync(file());
  writeFileSync(path.join(folder, 'all.yaml'), 'provider: contoso\n');
  expect(await draft()).toMatchObject({ code: 3, stderr: expect.stringContaining('all.yaml:1') as string });
  expect(existsSync(file())).toBe(false);
});

test('a folder that cannot be written to is named, with what to do', async () => {
  const noFolder = path.join(folder, 'file');
  writeFileSync(noFolder, '');
  const { code, stderr } = await draft('--inventory', noFolder);
  expect(code).toBe(1);
  expect(stderr).toContain(`The draft of contoso cannot be written into ${noFolder} (EEXIST).`);
  expect(stderr).toContain('--inventory <folder>');
});

test('a password is refused where a reference belongs, and not repeated; nothing is written', async () => {
  const { code, stdout, stderr } = await draft('--operations-password', 'swordfish');
  expect(code).toBe(2);
  expect(stderr).toContain('never the secret itself');
  expect(stdout + stderr).not.toContain('swordfish');
  expect(existsSync(file())).toBe(false);
});

test('a system that does not let it in is named, and nothing is written', async () => {
  process.env['ONWARD_TEST_WRONG'] = 'not the password';
  const { code, stderr } = await draft('--operations-password', 'env:ONWARD_TEST_WRONG');
  delete process.env['ONWARD_TEST_WRONG'];
  expect(code).toBe(1);
  expect(stderr).toMatch(/Operations: .*401/);
  expect(existsSync(file())).toBe(false);
});
