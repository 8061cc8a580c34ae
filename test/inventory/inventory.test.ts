import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import {
  checkInventory,
  describeProblem,
  findProvider,
  inventoryDirectory,
  type InvalidInventory,
  loadInventory,
} from '../../src/inventory/inventory';
import { EntrySchema, providerSchema } from '../../src/inventory/schema';

const INVENTORY = path.join(__dirname, '../../inventory');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'onward-inventory-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(path.join(folder, name), text);

const PACKAGE = { url: 'https://packages.example/o365.app.zip', sha256: 'a'.repeat(64) };

/** A small valid entry, with changes. */
function entry(provider: string, changes: object = {}): string {
  return stringify({
    provider,
    operations: { url: `https://${provider}.oa.example:8440/RPC2` },
    aps: { url: 'https://oa.example:6308/' },
    billing: { url: 'https://pba.example:5224/RPC2' },
    plans: [1],
    endpointHosts: [{ name: 'ep1' }],
    packages: { '18.4.1': PACKAGE },
    stores: [],
    ...changes,
  });
}

const problemsOf = async (work: Promise<unknown>): Promise<string[]> => {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  expect(error).toMatchObject({ name: 'InvalidInventory' });
  return (error as InvalidInventory).problems.map((problem) =>
    describeProblem({ ...problem, file: path.basename(problem.file) }),
  );
};

describe('loading the inventory', () => {
  test('gives every provider of every file, complete with defaults, ordered by id', async () => {
    await write('b.yaml', entry('contoso'));
    await write('a.yml', `${entry('fabrikam')}---\n${entry('adatum')}`);
    await write('notes.txt', 'not an entry');
    const providers = await loadInventory(folder);
    expect(providers.map(({ provider }) => provider)).toEqual(['adatum', 'contoso', 'fabrikam']);
    expect(providers[0]).toMatchObject({ taskMonitor: { adapter: 'gate' }, operations: { verifyTls: true } });
  });

  test.each([
    ['an alias', '*hunter2'],
    ['a tag', '!hunter2 x'],
    ['a block of text', '|hunter2'],
    ['a block of folded text', '>hunter2'],
    ['a directive', '\n%hunter2'],
    ['a list that nobody closes', '[hunter2'],
    ['a map of its own', 'a: hunter2: x'],
    ['a quotation that nobody closes', "'hunter2"],
    ['what no value may begin with', '@hunter2'],
    ['the end of a list', 'hunter2\n]hunter2'],
    ['a value', 'hunter2'],
  ])('does not quote a password that stands there in clear and that YAML takes for %s', async (_, password) => {
    await write(
      'a.yaml',
      `provider: contoso\nbilling:\n  url: https://pba.example\n  user: onward\n  password: ${password}\n`,
    );
    const problems = (await problemsOf(loadInventory(folder))).join('\n');
    expect(problems).toMatch(/^a\.yaml/);
    expect(problems).not.toContain('hunter2');
    await expect(findProvider(folder, 'contoso')).rejects.toThrow(/^(?!.*hunter2).*a\.yaml/s);
  });

  test('names every problem of every file at once, with line and field', async () => {
    await write(
      'a.yaml',
      'provider: contoso\noperatons:\n  url: https://x\noperations:\n  url: ftp://oa\n  user: onward\naps:\n  url: https://oa\n  userID: 1\nbilling:\n  url: https://pba\nplans: []\nendpointHosts:\n  - name: ep1\n  - name: EP 2\npackages:\n  18.4.1:\n    url: https://p\n    sha256: abc\ntaskMonitor:\n  adapter: E-Mail\n',
    );
    await write('b.yaml', 'provider: fabrikam\n  plans: [1]\n');
    await write('c.yaml', '# nothing yet\n');
    expect(await problemsOf(loadInventory(folder))).toEqual([
      'a.yaml:5: operations.url: must be an http or https URL',
      'a.yaml:4: operations.password: give user and password together, or neither',
      'a.yaml:9: aps.userID: there is no such field; did you mean userId?',
      'a.yaml:12: plans: Too small: expected array to have >=1 items',
      'a.yaml:1: stores: is missing: list the online stores that sell Office 365, or write [] where there is none',
      expect.stringMatching(/^a\.yaml:15: endpointHosts\.1\.name: use 1 to 63 lower-case letters/),
      'a.yaml:19: packages.18.4.1.sha256: must be a SHA-256 in 64 lower-case hexadecimal digits',
      expect.stringMatching(/^a\.yaml:21: taskMonitor\.adapter: use 1 to 63 lower-case letters/),
      'a.yaml:2: operatons: there is no such field; did you mean operations?',
      expect.stringMatching(/^b\.yaml:1: /),
      'c.yaml: holds no provider; write one, or remove the file',
    ]);
  });

  test('says of a missing field that it is missing, and points at what should hold it', async () => {
    await write(
      'a.yaml',
      entry('contoso', { packages: { '18.4.1': { url: 'https://packages.example/p' } }, billing: undefined }),
    );
    expect(await problemsOf(loadInventory(folder))).toEqual([
      'a.yaml:1: billing: is missing (object)',
      expect.stringMatching(/^a\.yaml:\d+: packages\.18\.4\.1\.sha256: is missing \(string\)$/),
    ]);
  });

  test('wants the online stores said: an empty list is a statement, none at all is a mistake', async () => {
    await write('a.yaml', entry('contoso', { stores: [] }));
    expect((await loadInventory(folder))[0]?.stores).toEqual([]);
    await write('a.yaml', entry('contoso', { stores: undefined }));
    expect(await problemsOf(loadInventory(folder))).toEqual([
      'a.yaml:1: stores: is missing: list the online stores that sell Office 365, or write [] where there is none',
    ]);
  });

  test('takes the packages of several releases, and wants one at least, each under its version', async () => {
    await write(
      'a.yaml',
      entry('contoso', { packages: { '18.4.1': PACKAGE, '18.5': { ...PACKAGE, caFile: 'ca.pem' } } }),
    );
    const [loaded] = await loadInventory(folder);
    expect(loaded?.packages['18.5']?.caFile).toBe(path.join(folder, 'ca.pem'));
    await write('a.yaml', entry('contoso', { packages: {} }));
    await write('b.yaml', entry('fabrikam', { packages: { 'version 1': PACKAGE } }));
    expect(await problemsOf(loadInventory(folder))).toEqual([
      'a.yaml:12: packages: name the package of at least one version',
      expect.stringMatching(/^b\.yaml:1\d: packages\.version 1: as a name: must be the version/),
    ]);
  });

  test('says of an entry from before how its package is written now', async () => {
    await write('a.yaml', entry('contoso', { packages: undefined, package: PACKAGE }));
    expect(await problemsOf(loadInventory(folder))).toEqual([
      "a.yaml:13: package: is written with its version now, since an entry may name the packages of several: packages: { '<version>': { url: ..., sha256: ... } }",
    ]);
  });

  test('refuses a version that YAML takes for a number and changes', async () => {
    const packages = `packages:\n  18.10:\n    url: ${PACKAGE.url}\n    sha256: ${PACKAGE.sha256}\n`;
    await write('a.yaml', `${entry('contoso', { packages: undefined })}${packages}`);
    expect(await problemsOf(loadInventory(folder))).toEqual([
      'a.yaml:14: packages.18.1: YAML reads 18.10 as the number 18.1; put it in quotes',
    ]);
  });

  // Security: references-only
  test('refuses a secret in clear without repeating it', async () => {
    const secret = 'Hunter2-is-in-clear';
    await write('a.yaml', entry('contoso', { operations: { url: 'https://oa', user: 'u', password: secret } }));
    await write('b.yaml', entry('fabrikam', { billing: { url: `https://onward:${secret}@pba.example` } }));
    await write('c.yaml', `provider: adatum\n  password: ${secret}\n`);
    const problems = await problemsOf(loadInventory(folder));
    expect(problems.join('\n')).toContain('a.yaml:5: operations.password: must be a reference, env:NAME or file:/path');
    expect(problems.join('\n')).toContain('billing.url: must not hold a user or a password');
    expect(problems).toHaveLength(3);
    expect(problems.join('\n')).not.toContain(secret);
  });

  test('refuses two providers of one id and names both places', async () => {
    await write('a.yaml', entry('contoso'));
    await write('b.yaml', entry('contoso'));
    expect(await problemsOf(loadInventory(folder))).toEqual([
      `b.yaml:1: provider: contoso is already the id of the provider at ${path.join(folder, 'a.yaml')}:1`,
    ]);
  });

  test('takes file names relative to the file that holds them', async () => {
    await write(
      'a.yaml',
      entry('contoso', {
        operations: { url: 'https://oa', user: 'u', password: 'file:secrets/oa', caFile: 'ca.pem' },
        notify: [{ kind: 'webhook', url: 'https://hook', token: 'file:/run/token' }],
      }),
    );
    expect((await loadInventory(folder))[0]).toMatchObject({
      operations: { password: `file:${path.join(folder, 'secrets/oa')}`, caFile: path.join(folder, 'ca.pem') },
      notify: [{ token: 'file:/run/token' }],
    });
  });

  test('says what to do when there is no inventory', async () => {
    await expect(loadInventory(path.join(folder, 'nowhere'))).rejects.toThrow(/no such folder.*ONWARD_INVENTORY/);
  });
});

test('an entry larger than an upgrade can keep is a problem, and says so by its size', async () => {
  const stores = (count: number) =>
    Array.from({ length: count }, (_, id) => ({ id: `s${id}`, name: 'x'.repeat(5_000) }));
  await write('a.yaml', entry('contoso', { stores: stores(90) }));
  expect(await loadInventory(folder)).toHaveLength(1);
  await write('a.yaml', entry('contoso', { stores: stores(110) }));
  const [problem] = await problemsOf(loadInventory(folder));
  expect(problem).toMatch(/bytes as JSON, and one upgrade takes 524288/);
});

describe('the adapters of an entry', () => {
  const mail = { settings: z.strictObject({ folder: z.string().default('inbox'), token: z.string() }) };
  const microsoft = { settings: z.strictObject({ clientId: z.string() }) };
  const worker = EntrySchema.ofWorker({ taskMonitor: { mail }, connectionTest: { microsoft } });

  test('are judged with everything else, where a worker does not have them or refuses their settings', async () => {
    await write(
      'a.yaml',
      entry('contoso', {
        plans: [],
        taskMonitor: { adapter: 'mail', foldr: 'x' },
        connectionTest: { adapter: 'mail', token: 'env:TOKEN' },
      }),
    );
    const problems = [
      'a.yaml:8: plans: Too small: expected array to have >=1 items',
      'a.yaml:16: taskMonitor.token: is missing (string)',
      'a.yaml:18: taskMonitor.foldr: there is no such field; did you mean folder?',
      'a.yaml:20: connectionTest.adapter: must name an adapter that this worker has: gate, microsoft',
    ];
    expect(await problemsOf(loadInventory(folder, worker))).toEqual(problems);
    expect(await problemsOf(findProvider(folder, 'contoso', worker))).toEqual(problems);
  });

  test('are frozen with their defaults, and with file names that any folder understands', async () => {
    await write('a.yaml', entry('contoso', { taskMonitor: { adapter: 'mail', token: 'file:secrets/mail' } }));
    expect(await findProvider(folder, 'contoso', worker)).toMatchObject({
      taskMonitor: { adapter: 'mail', folder: 'inbox', token: `file:${path.join(folder, 'secrets/mail')}` },
      connectionTest: { adapter: 'gate' },
    });
  });

  test('may be of any name for whoever is no worker, but those of the product are judged', async () => {
    await write('a.yaml', entry('contoso', { taskMonitor: { adapter: 'mail', foldr: 'x' } }));
    expect(await findProvider(folder, 'contoso')).toMatchObject({ taskMonitor: { adapter: 'mail', foldr: 'x' } });
    const account = { tenant: 't', refreshToken: 'in-clear' };
    const connectionTest = { adapter: 'microsoft', clientID: 'x', clientSecret: 'env:S', accounts: { csp: account } };
    await write('a.yaml', entry('contoso', { taskMonitor: { adapter: 'gate', url: 'https://x' }, connectionTest }));
    expect(await problemsOf(findProvider(folder, 'contoso'))).toEqual([
      expect.stringMatching(/taskMonitor\.url: there is no such field/),
      expect.stringMatching(/connectionTest\.clientId: is missing \(string\)$/),
      expect.stringMatching(/connectionTest\.accounts\.csp\.refreshToken: must be a reference/),
      expect.stringMatching(/connectionTest\.clientID: there is no such field; did you mean clientId\?$/),
    ]);
    await write('a.yaml', entry('contoso', { taskMonitor: { url: 'https://x' }, connectionTest: 'gate' }));
    expect(await problemsOf(findProvider(folder, 'contoso'))).toEqual([
      expect.stringMatching(/taskMonitor\.adapter: is missing \(string\)$/),
      expect.stringMatching(/connectionTest: .*expected object/),
    ]);
  });

  test('that are not of the product cannot be checked here, and the check says so', async () => {
    await write('a.yaml', entry('contoso', { taskMonitor: { adapter: 'mail', token: 'file:secrets/mail' } }));
    const { problems, warnings } = await checkInventory(folder);
    expect(warnings.map(({ line, field, message }) => `${line} ${field}: ${message}`)).toEqual([
      expect.stringMatching(/^18 taskMonitor\.adapter: mail is no adapter of Onward \(gate\)/),
    ]);
    expect(problems).toEqual([expect.objectContaining({ field: 'taskMonitor.token' })]);
  });
});

describe('finding one provider', () => {
  test('is not kept from it by mistakes in the entries of others', async () => {
    await write('a.yaml', entry('contoso'));
    await write('b.yaml', entry('fabrikam', { plans: [] }));
    expect(await findProvider(folder, 'contoso')).toMatchObject({ provider: 'contoso' });
  });

  test('names every problem of its own entry, also that its id is taken twice', async () => {
    await write('a.yaml', entry('contoso', { plans: [], stores: 3 }));
    await write('b.yaml', entry('contoso'));
    expect(await problemsOf(findProvider(folder, 'contoso'))).toHaveLength(3);
  });

  test('suggests the one that was nearly named', async () => {
    await write('a.yaml', entry('contoso'));
    await expect(findProvider(folder, 'contosso')).rejects.toThrow(/no provider "contosso"\. Did you mean contoso\?/);
  });

  test('lists what there is when nothing is near, and the entries that cannot be read', async () => {
    await write('a.yaml', entry('contoso'));
    await write('b.yaml', 'provider: fabrikam\n  plans: [1]\n');
    const failure = findProvider(folder, 'fabrikam');
    await expect(failure).rejects.toThrow('It has contoso.');
    await expect(failure).rejects.toThrow(/cannot be read:\n.*b\.yaml:1/);
  });
});

describe('checking the inventory', () => {
  test('an empty folder is said to be empty, and is a problem', async () => {
    await write('contoso.yaml.sample', entry('contoso'));
    const { providers, problems } = await checkInventory(folder);
    expect(providers).toEqual([]);
    expect(problems).toMatchObject([{ file: folder, message: expect.stringContaining('holds no entry') as string }]);
  });

  test('an entry in UTF-16 is read; one in a code page is a problem of its file, and of no other', async () => {
    await writeFile(path.join(folder, 'a.yaml'), Buffer.from(`\ufeff${entry('contoso')}`, 'utf16le'));
    await writeFile(path.join(folder, 'b.yaml'), Buffer.from(`# Österreich\n${entry('fabrikam')}`, 'latin1'));
    const { providers, problems } = await checkInventory(folder);
    expect(providers.map(({ provider }) => provider)).toEqual(['contoso']);
    expect(problems).toMatchObject([
      { file: path.join(folder, 'b.yaml'), message: expect.stringMatching(/^is no valid UTF-8/) as string },
    ]);
    expect((await findProvider(folder, 'contoso')).provider).toBe('contoso');
  });

  test('names a file that cannot be read, and uses the others', async () => {
    await write('a.yaml', entry('contoso'));
    await mkdir(path.join(folder, 'b.yaml'));
    await symlink(path.join(folder, 'moved away'), path.join(folder, 'c.yaml'));
    const { providers, problems } = await checkInventory(folder);
    expect(providers.map(({ provider }) => provider)).toEqual(['contoso']);
    expect(problems).toMatchObject([
      { file: path.join(folder, 'b.yaml'), message: 'cannot be read (EISDIR)' },
      { file: path.join(folder, 'c.yaml'), message: 'cannot be read (ENOENT)' },
    ]);
    expect((await findProvider(folder, 'contoso')).provider).toBe('contoso');
  });

  test('finds missing files and warns of variables that are not set here', async () => {
    await write('ca.pem', 'no certificate');
    await write(
      'a.yaml',
      entry('contoso', {
        operations: { url: 'https://oa', user: 'u', password: 'env:ONWARD_TEST_UNSET', caFile: 'ca.pem' },
        billing: { url: 'https://pba', user: 'u', password: 'file:secrets/pba', caFile: 'missing.pem' },
      }),
    );
    const { problems, warnings, providers } = await checkInventory(folder);
    expect(providers).toEqual([{ provider: 'contoso', file: path.join(folder, 'a.yaml') }]);
    expect(problems.map(({ line, field, message }) => `${line} ${field}: ${message}`)).toEqual([
      `6 operations.caFile: ${path.join(folder, 'ca.pem')} holds no certificate in PEM form`,
      expect.stringMatching(/^12 billing\.password: .*secrets\/pba cannot be read \(ENOENT\)/),
      expect.stringMatching(/^13 billing\.caFile: .*missing\.pem cannot be read \(ENOENT\)/),
    ]);
    expect(warnings).toEqual([expect.objectContaining({ field: 'operations.password', line: 5 })]);
  });
});

test('the inventory is where ONWARD_INVENTORY says, else in the current folder', () => {
  expect(inventoryDirectory({})).toBe(path.resolve('inventory'));
  expect(inventoryDirectory({ ONWARD_INVENTORY: '/etc/onward' })).toBe('/etc/onward');
});

test('the JSON Schema for editors is up to date (else: npm run schema)', async () => {
  expect(await readFile(path.join(INVENTORY, 'provider.schema.json'), 'utf8')).toBe(providerSchema());
});

describe('the sample', () => {
  const sample = () => readFile(path.join(INVENTORY, 'example.yaml.sample'), 'utf8');

  test('is a valid entry', async () => {
    await write('sample.yaml', await sample());
    await mkdir(path.join(folder, 'secrets'));
    await write('secrets/contoso-billing', 'secret\n');
    expect(await checkInventory(folder)).toMatchObject({ problems: [], providers: [{ provider: 'contoso' }] });
  });

  test('is valid with everything uncommented, and shows every field', async () => {
    const everything = (await sample()).replace(/^( *)#(?=\S| {2})/gm, '$1');
    await write('sample.yaml', everything);
    for (const name of EntrySchema.ofAnyWorker.fieldNames) expect(everything).toMatch(new RegExp(`\\b${name}:`));
    expect((await loadInventory(folder))[0]).toMatchObject({ connectionTest: { adapter: 'microsoft' } });
  });
});
