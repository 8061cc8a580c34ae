import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { checkInventory, findProvider, loadInventory } from '../../src/inventory/inventory';
import { addressOf } from '../../src/inventory/same-installation';

const folder = mkdtempSync(path.join(os.tmpdir(), 'onward-same-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entry = (provider: string, url: string): void =>
  writeFileSync(
    path.join(folder, `${provider}.yaml`),
    [
      `provider: ${provider}`,
      `operations: { url: '${url}' }`,
      "aps: { url: 'https://aps.test:6308/' }",
      "billing: { url: 'http://billing.test:5224/RPC2' }",
      'plans: [101]',
      'stores: []',
      'endpointHosts: [{ name: gw-01 }]',
      `packages: { '18.4.1': { url: 'http://files.test/o365.zip', sha256: '${'a'.repeat(64)}' } }`,
    ].join('\n'),
  );

test.each([
  ['the case of the host', 'http://MN.Contoso.test:8440/RPC2'],
  ['a slash at the end', 'http://mn.contoso.test:8440/RPC2/'],
  ['no path', 'http://mn.contoso.test:8440'],
  ['a slash for a path', 'http://mn.contoso.test:8440/'],
  ['a dot after the host', 'http://mn.contoso.test.:8440/'],
  ['another scheme on the same port', 'https://mn.contoso.test:8440/RPC2'],
])('%s does not make another Operations', (_, url) => {
  expect(addressOf(url)).toBe(addressOf('http://mn.contoso.test:8440/RPC2'));
});

test('the default port may be written or not', () => {
  expect(addressOf('https://mn.contoso.test:443/')).toBe(addressOf('https://mn.contoso.test'));
  expect(addressOf('http://mn.contoso.test:80/RPC2')).toBe(addressOf('http://mn.contoso.test'));
});

test('two entries for one installation are refused by the check, and at the start of either', async () => {
  entry('contoso', 'http://mn.contoso.test:8440/RPC2');
  entry('contoso-again', 'http://MN.contoso.test:8440/');
  entry('fabrikam', 'http://mn.fabrikam.test:8440/RPC2');
  const { problems } = await checkInventory(folder);
  expect(problems).toEqual([
    expect.objectContaining({
      line: 2,
      field: 'operations.url',
      message: expect.stringContaining('the Operations of contoso') as string,
    }),
  ]);
  await expect(loadInventory(folder)).rejects.toThrow('one installation has one entry');
  await expect(findProvider(folder, 'contoso')).rejects.toThrow('one installation has one entry');
  await expect(findProvider(folder, 'contoso-again')).rejects.toThrow('one installation has one entry');
  await expect(findProvider(folder, 'fabrikam')).resolves.toMatchObject({ provider: 'fabrikam' });
});
