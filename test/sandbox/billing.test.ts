import { startSandbox, type Sandbox } from '../../src/sandbox/server';
import { decodeResponse, encodeCall, XmlRpcFault } from '../../src/systems/xmlrpc';
import { billing, post, sim } from './clients';
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

async function faultOf(body: string): Promise<string> {
  const { text } = await post(sandbox.urls.billing('contoso'), body);
  try {
    decodeResponse(text);
  } catch (error) {
    if (error instanceof XmlRpcFault) return Buffer.from(error.text, 'base64').toString();
    throw error;
  }
  throw new Error('no fault');
}
const execute = (Method: string, ...Params: number[]) => encodeCall('Execute', [{ Server: 'BM', Method, Params }]);

test('tells a plan in twenty fields, the service template as number 17', async () => {
  const [plan] = sandbox.world.provider('contoso').plans;
  const fields = await billing(sandbox, 'contoso', 'PlanDetailsGet_API', plan?.planId ?? 0);
  expect(fields).toHaveLength(20);
  expect([fields[0], fields[1], fields[17]]).toEqual([plan?.planId, plan?.name, plan?.serviceTemplateId]);
});

test('lists the parameters of a template in nine fields each, until one is removed by hand', async () => {
  const plan = sandbox.world.provider('contoso').plans[0];
  const ids = [plan?.planId ?? 0, plan?.serviceTemplateId ?? 0] as const;
  const rows = (await billing(sandbox, 'contoso', 'PlanParamsGetAndValidate_API', ...ids)) as string[][];
  expect(rows.map((row) => [row.length, row[0]])).toEqual([
    [9, 'aps_defaults_o365'],
    [9, 'o365_based_on_email'],
  ]);
  const removal = `providers/contoso/serviceTemplates/${ids[1]}/parameters/o365_based_on_email`;
  expect((await sim(sandbox, 'DELETE', removal)).status).toBe(200);
  expect((await sim(sandbox, 'DELETE', removal)).status).toBe(404);
  expect(await billing(sandbox, 'contoso', 'PlanParamsGetAndValidate_API', ...ids)).toHaveLength(1);
  expect(sandbox.journal.entries({ name: 'parameterRemoved' })).toHaveLength(1);
});

test('validates values that are given with the call', async () => {
  const plan = sandbox.world.provider('contoso').plans[0];
  const rows = await billing(
    sandbox,
    'contoso',
    'PlanParamsGetAndValidate_API',
    plan?.planId ?? 0,
    plan?.serviceTemplateId ?? 0,
    'aps_defaults_o365=contoso',
    'unheard_of=1',
  );
  const statuses = (rows as (string | number)[][]).map((row) => [row[0], row[6]]);
  expect(statuses).toContainEqual(['aps_defaults_o365', 0]);
  expect(statuses).toContainEqual(['unheard_of', 3]);
});

test('writes the text of a fault in base64', async () => {
  expect(await faultOf(execute('PlanDetailsGet_API', 999999))).toBe('Table Plan does not contain row with ID 999999.');
  expect(await faultOf(execute('NoSuchMethod_API'))).toContain('NoSuchMethod_API');
  expect(await faultOf(encodeCall('Run', [{}]))).toContain("'Run' is not defined");
  expect(await faultOf(encodeCall('Execute', [{ Server: 'XX', Method: 5 }]))).toBe(
    "Server must be 'BM'. Method must be a string. Params must be an array.",
  );
});
