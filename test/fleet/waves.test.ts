import { FleetWorld } from './fleet-world';

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
}, 600_000);
afterAll(async () => {
  await world?.close();
});

test('a fleet upgrades everybody, one wave after the other', async () => {
  const ids = world.add('simple', 3, { from: '18.4' });
  const fleet = await world.fleet({ name: 'simple', startedBy: 'ana', providers: { ids }, waves: [1, 'rest'] });
  const status = await fleet.result();
  expect(status).toMatchObject({ state: 'completed', counts: { completed: 3 } });
});
