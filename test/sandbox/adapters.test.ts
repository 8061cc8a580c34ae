/** What the sandbox's adapters make of its control API. */
import type { AddressInfo } from 'node:net';
import { fastify, type FastifyInstance } from 'fastify';
import { SANDBOX_ADAPTERS } from '../../src/sandbox/adapters';
import { Adapters } from '../../src/systems/adapters';
import { closeConnections } from '../../src/systems/http';

const adapters = new Adapters({ resolveSecret: async () => '' }, SANDBOX_ADAPTERS);
const instance = { id: 31, name: 'CSP EMEA', resourceId: 'eb1a5b99-cc59-4773-8d25-d583b2c9a60c' };

let control: FastifyInstance;
let setting: { adapter: string; url: string };
const answers = new Map<string, unknown>();

beforeAll(async () => {
  control = fastify();
  control.get('/_sim/providers/contoso/*', async (request, reply) => {
    const { '*': what } = request.params as { '*': string };
    return answers.has(what) ? answers.get(what) : reply.code(404).send({});
  });
  await control.listen({ host: '127.0.0.1', port: 0 });
  const { port } = control.server.address() as AddressInfo;
  setting = { adapter: 'sandbox', url: `http://127.0.0.1:${port}/_sim/providers/contoso/` };
});
afterAll(async () => {
  closeConnections();
  await control.close();
});

test('tasks that are periodic, closed or of others are not waited for', async () => {
  const task = (id: number, name: string, status: string, periodic = false) => ({ id, name, status, periodic });
  answers.set('tasks', [
    task(1, 'Office 365: synchronize license usage', 'Rescheduled', true),
    task(2, 'Exchange: create mailbox', 'Failed'),
    task(3, 'Office 365: assign license', 'Canceled'),
    task(4, 'Office 365: assign license', 'Processed'),
    task(5, 'Provision OFFICE 365 subscription', 'Running'),
    task(6, 'Office 365: add domain', 'Failed'),
  ]);
  expect(await adapters.monitorTasks(setting).openTasks()).toEqual([
    { id: 5, name: 'Provision OFFICE 365 subscription', status: 'Running' },
    { id: 6, name: 'Office 365: add domain', status: 'Failed' },
  ]);
});

test('tasks of the application are waited for by its id and by the queues of its instances, whatever their name', async () => {
  const task = (id: number, name: string, queue?: string) => ({ id, name, status: 'Failed', periodic: false, queue });
  const script = (application: number) =>
    `Executing configuration script for resource of APS application with id ${application}`;
  answers.set('tasks', [
    task(1, script(152)),
    task(2, script(1521)),
    task(3, 'Upgrade', 'aps_application_instance1039'),
    task(4, 'Upgrade', 'aps_application_instance103'),
  ]);
  const open = await adapters.monitorTasks(setting).openTasks({ id: 152, instances: [1039] });
  expect(open.map(({ id }) => id)).toEqual([1, 3]);
});

test('a connection test says what the button of the simulated control panel says', async () => {
  const checks = [
    { name: 'PartnerCenter', ok: false, message: 'The refresh token is missing.' },
    { name: 'Graph', ok: true },
  ];
  answers.set(`instances/${instance.resourceId}/testConnection`, { success: false, checks });
  expect(await adapters.testConnections(setting).run(instance)).toEqual({ ok: false, checks });
});

test('an answer that is none is told as that of the system that was asked', async () => {
  answers.delete('tasks');
  await expect(adapters.monitorTasks(setting).openTasks()).rejects.toThrow('task monitor: GET tasks');
  answers.set('tasks', [{ id: 'seven' }]);
  await expect(adapters.monitorTasks(setting).openTasks()).rejects.toMatchObject({ type: 'MalformedAnswer' });
});
