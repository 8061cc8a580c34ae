/** @needs python */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { standInHosts } from './stand-in-hosts';
import { SIMULATED_RELEASES } from '../../workflows/releases';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    releases: SIMULATED_RELEASES,
    hosts: standInHosts().register,
    providers: [{ id: 'contoso', instances: 1 }],
  });
});
afterAll(() => sandbox.close());

test("can be driven by Python's xmlrpc.client", async () => {
  const plan = sandbox.world.provider('contoso').plans[0]?.planId;
  const { stdout } = await promisify(execFile)('python3', [
    path.join(__dirname, 'drive.py'),
    sandbox.urls.operations('contoso'),
    sandbox.urls.billing('contoso'),
    sandbox.urls.package('18.4.1'),
    String(plan),
  ]);
  expect(JSON.parse(stdout)).toEqual({
    methods: expect.any(Number),
    deactivated: { status: 0 },
    active: false,
    wrong_type: -1,
    build: true,
    imported: { application_id: 17, package_version: '18.4.1-12' },
    request_status: 0,
    fault: "Method 'pem.noSuchMethod' is not defined.",
    fields: 20,
    parameters: ['aps_defaults_o365', 'o365_based_on_email'],
    billing_fault: 'Table Plan does not contain row with ID 999.',
  });
  expect(sandbox.journal.entries({ kind: 'effect', name: 'packageImported' })).toHaveLength(1);
});
