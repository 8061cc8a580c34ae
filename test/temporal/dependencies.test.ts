import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { missingPackages } from '../../tools/installed-packages.cjs';

interface Lock {
  packages: Record<string, { version: string; dev?: boolean; optional?: boolean }>;
}
const read = async (file: string): Promise<Lock> =>
  JSON.parse(await readFile(path.join(__dirname, '../..', file), 'utf8')) as Lock;

test('one protobufjs of version 8 serves all of the SDK: with two, recorded histories cannot be replayed', async () => {
  const { packages } = await read('package-lock.json');
  const copies = Object.entries(packages).filter(([place]) => place.endsWith('node_modules/protobufjs'));
  const current = copies.filter(([, { version }]) => version.startsWith('8.'));
  expect(current.map(([place]) => place)).toEqual(['node_modules/protobufjs']);
});

test('all packages of the SDK are of one version', async () => {
  const { packages } = await read('package-lock.json');
  const sdk = Object.entries(packages).filter(([place]) => /(^|\/)node_modules\/@temporalio\/[^/]+$/.test(place));
  expect(new Set(sdk.map(([, { version }]) => version))).toEqual(new Set(['1.24.0']));
});

describe('what has to be installed before Onward runs', () => {
  const lock: Lock = {
    packages: {
      '': { version: '1.0.0' },
      'node_modules/zod': { version: '4.6.7' },
      'node_modules/@temporalio/client/node_modules/ms': { version: '3.0.0' },
      'node_modules/jest': { version: '30.5.2', dev: true },
      'node_modules/fsevents': { version: '2.3.3', optional: true },
    },
  };
  const without = (...places: string[]): Lock => ({
    packages: Object.fromEntries(Object.entries(lock.packages).filter(([place]) => !places.includes(place))),
  });

  test('is everything where nothing is installed, and nothing where all is', () => {
    expect(missingPackages(lock, undefined, { dev: true })).toEqual(['zod', 'ms', 'jest']);
    expect(missingPackages(lock, without(''), { dev: true })).toEqual([]);
  });

  test('is what another version is installed of', () => {
    const older = { packages: { ...lock.packages, 'node_modules/zod': { version: '4.6.0' } } };
    expect(missingPackages(lock, older, { dev: true })).toEqual(['zod']);
  });

  test('is neither what only some machines can have, nor, unless tests are to run, what only tests need', () => {
    expect(missingPackages(lock, without('node_modules/fsevents'), { dev: true })).toEqual([]);
    expect(missingPackages(lock, without('node_modules/jest'), { dev: false })).toEqual([]);
    expect(missingPackages(lock, without('node_modules/jest'), { dev: true })).toEqual(['jest']);
  });
});

test('the lock names a package for every platform that it promises, so that npm ci accepts it', async () => {
  const { packages } = (await read('package-lock.json')) as {
    packages: Record<string, { optionalDependencies?: object }>;
  };
  const places = Object.keys(packages);
  const promised = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  expect(promised.filter((name) => !places.some((place) => place.endsWith(`node_modules/${name}`)))).toEqual([]);
});
