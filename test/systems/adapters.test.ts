import { z } from 'zod';
import { defineAdapter } from '../../src/systems/adapter';
import { Adapters } from '../../src/systems/adapters';

const idle = defineAdapter({ settings: z.strictObject({}), create: () => ({ openTasks: async () => [] }) });
const willing = defineAdapter({
  settings: z.strictObject({}),
  create: () => ({ proves: true as const, run: async () => ({ ok: true, checks: [] }) }),
});
const resolveSecret = async (reference: string) => `value of ${reference}`;

test.each([
  ['gate', { taskMonitor: { gate: idle } }],
  ['gate', { connectionTest: { gate: willing } }],
  ['microsoft', { connectionTest: { microsoft: willing } }],
])("the product's adapter %s cannot be replaced by another one", (name, registered) => {
  expect(() => new Adapters({ resolveSecret }, registered)).toThrow(`${name} is an adapter of the product`);
});

test('a name that no entry can have is refused', () => {
  expect(() => new Adapters({ resolveSecret }, { taskMonitor: { 'E-Mail': idle } })).toThrow('lower-case letters');
});

test('an adapter gets its settings as its schema gives them, and the means to resolve secrets', async () => {
  const seen: unknown[] = [];
  const mail = defineAdapter({
    settings: z.strictObject({ folder: z.string().default('inbox'), token: z.string() }),
    create: ({ folder, token }, tools) => ({
      openTasks: async () => {
        seen.push(folder, await tools.resolveSecret(token));
        return [];
      },
    }),
  });
  const adapters = new Adapters({ resolveSecret }, { taskMonitor: { mail } });
  await adapters.monitorTasks({ adapter: 'mail', token: 'env:TOKEN' }).openTasks();
  expect(seen).toEqual(['inbox', 'value of env:TOKEN']);
});

test('a name that every object has is no adapter', () => {
  const adapters = new Adapters({ resolveSecret });
  expect(() => adapters.monitorTasks({ adapter: 'constructor' })).toThrow('this worker has no adapter constructor');
});
