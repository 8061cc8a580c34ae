import { FAILURE } from '../../src/contract/activities';
import { billingConnection } from '../../src/contract/provider';
import { BillingClient } from '../../src/systems/billing';
import { closeConnections } from '../../src/systems/http';
import { XmlRpcFault, decodeCall, type XmlRpcValue } from '../../src/systems/xmlrpc';
import { failureOf } from './support/failure-of';
import { answeringCalls, scriptedServer, type ScriptedServer } from './support/scripted-server';

let server: ScriptedServer | undefined;
afterEach(async () => {
  closeConnections();
  await server?.close();
});

async function clientAnswered(answer: () => XmlRpcValue): Promise<BillingClient> {
  server = await scriptedServer(answeringCalls(answer));
  return new BillingClient(billingConnection.parse({ url: `${server.url}RPC2` }), async () => '');
}

const base64 = (text: string) => Buffer.from(text).toString('base64');
const planFields = [101, 'Office 365 E3', 3, 'USD', '', '', 'PEMGATE', 1, 0, 10, 2, 1, 0, 55, 0, 0, 1, 61, 0, 1];

test('a plan tells its name and its service template', async () => {
  const client = await clientAnswered(() => ({ Result: [planFields] }));
  expect(await client.plan(101)).toEqual({ id: 101, name: 'Office 365 E3', serviceTemplateId: 61 });
  expect(decodeCall(server?.asked[0]?.body ?? '')).toEqual({
    method: 'Execute',
    params: [{ Server: 'BM', Method: 'PlanDetailsGet_API', Params: [101] }],
  });
});

test('service parameters are the first column of the validation without values', async () => {
  const row = (id: string) => [id, 0, 'Name', '', '', 0, 3, '', 0];
  const client = await clientAnswered(() => ({ Result: [[row('aps_defaults_o365'), row('o365_based_on_email')]] }));
  const plan = { id: 101, name: 'E3', serviceTemplateId: 61 };
  expect(await client.serviceParameters(plan)).toEqual(['aps_defaults_o365', 'o365_based_on_email']);
  expect(decodeCall(server?.asked[0]?.body ?? '').params).toEqual([
    { Server: 'BM', Method: 'PlanParamsGetAndValidate_API', Params: [101, 61] },
  ]);
});

test.each([
  [
    'a fault in base64',
    base64('Table Plan does not contain row with ID 999.\n'),
    'Table Plan does not contain row with ID 999. ',
  ],
  ['a fault in plain text', 'Access is denied!', 'Access is denied!'],
])('%s is a readable refusal', async (_, text, readable) => {
  const client = await clientAnswered(() => {
    throw new XmlRpcFault(-1, text);
  });
  const failure = await failureOf(client.plan(999));
  expect(failure.type).toBe(FAILURE.rejected);
  expect(failure.message).toContain('Billing: PlanDetailsGet_API of plan 999');
  expect(failure.message).toContain(readable);
});

test('an exception that comes as data is a refusal too', async () => {
  const client = await clientAnswered(() => ({ Result: [base64('Plan 999 is not found')] }));
  expect(await failureOf(client.plan(999))).toMatchObject({
    type: FAILURE.rejected,
    message: expect.stringContaining('Plan 999 is not found') as string,
  });
});

test('a Billing that does not tell the service template of a plan is not guessed at', async () => {
  const client = await clientAnswered(() => ({ Result: [planFields.slice(0, 15)] }));
  expect(await failureOf(client.plan(101))).toMatchObject({ type: FAILURE.unexpectedState, retryable: false });
});

test.each<[string, XmlRpcValue]>([
  ['no Result', { Error: 1 }],
  ['an empty Result', { Result: [] }],
  ['text instead of a struct', 'hello'],
])('%s is malformed', async (_, answer) => {
  const client = await clientAnswered(() => answer);
  expect((await failureOf(client.plan(101))).type).toBe(FAILURE.malformedAnswer);
});
