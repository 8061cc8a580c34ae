/**
 * The stand-in for PowerShell and a genuine engine do the same to a provider.
 *
 * @needs temporal
 *
 * @needs powershell
 */
import { findExecutable } from '../../src/systems/endpoint/executable';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

const executable = process.env['ONWARD_PWSH'] ?? 'pwsh';
const genuine = findExecutable(executable, process.env) !== undefined;

const rehearsals: Rehearsal[] = [];
afterAll(async () => {
  await Promise.all(rehearsals.map((rehearsal) => rehearsal.close()));
});

async function upgraded(endpointEnvironment: NodeJS.ProcessEnv): Promise<Upgrade> {
  const rehearsal = await Rehearsal.start({ endpointEnvironment });
  rehearsals.push(rehearsal);
  const upgrade = await rehearsal.provider({
    id: 'same',
    instances: 2,
    gateways: [{ host: 'same-host' }, { host: 'same-host' }],
  });
  await upgrade.start();
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1', sites: 2 });
  return upgrade;
}

(genuine ? describe : describe.skip)('a genuine PowerShell', () => {
  test('leaves the same world and the same journal as the stand-in', async () => {
    const stoodIn = await upgraded({ PATH: '' });
    const real = await upgraded({ ...process.env, ONWARD_PWSH: executable });
    const onHost = ['setupRan', 'iisReset', 'siteRestored'];
    expect(real.effects(...onHost)).toEqual(stoodIn.effects(...onHost));
    expect(real.effectCounts()).toEqual(stoodIn.effectCounts());
    expect(await real.state()).toEqual(await stoodIn.state());
  });
});
