import { Catalogue } from '../../workflows/engine/catalogue';
import { release1841 } from '../../workflows/releases/18.4.1';
import { above } from '../../workflows/engine/versions';
import { WITH_18_5 } from '../kit/releases/catalogue';
import { simulatedAs } from '../kit/releases/simulated';

const chosen = (catalogue: Catalogue, installed: string[], to?: string) => {
  const { chosen: found, problem } = catalogue.choose(installed, to);
  return found ? `${found.from} -> ${found.release.version}` : problem;
};

test('what is installed chooses the path while only one release fits', () => {
  expect(chosen(new Catalogue([release1841]), ['18.3-9', '18.3-9'])).toBe('18.3 -> 18.4.1');
  expect(chosen(WITH_18_5, ['18.4-1'])).toBe('18.4 -> 18.4.1');
  expect(chosen(WITH_18_5, ['18.4.1-12'])).toBe('18.4.1 -> 18.5');
  expect(chosen(WITH_18_5, ['18.4.3-1'])).toBe('18.4.3 -> 18.5');
});

test('instances that an earlier upgrade has brought to the release already do not matter for the path', () => {
  expect(chosen(WITH_18_5, ['18.3-9', '18.4.1-12'])).toBe('18.3 -> 18.4.1');
});

test('where nothing is installed, nothing can be upgraded, and nothing is done already either', () => {
  expect(WITH_18_5.choose([])).toEqual({ problem: 'There is no application instance to upgrade.' });
});

test('a refusal names the conditions of the release that was asked for', () => {
  expect(chosen(WITH_18_5, ['18.4.1-12'], '18.4.1')).toContain('nothing to upgrade');
  expect(chosen(WITH_18_5, ['17.2-1'], '18.5')).toContain('only 18.4.1 or a later 18.4.x can be upgraded to 18.5');
  expect(chosen(WITH_18_5, ['17.2-1'], '18.4.1')).toContain('only 18.3 and 18.4 can be upgraded to 18.4.1');
  expect(chosen(WITH_18_5, ['18.3-9'], '19.2')).toBe('There is no release 19.2; Onward knows 18.4.1, 18.5.');
});

test('a chain is a plan of several upgrades, one after another', () => {
  expect(WITH_18_5.route('18.3', '18.5')).toEqual([
    { from: '18.3', to: '18.4.1' },
    { from: '18.4.1', to: '18.5' },
  ]);
  expect(WITH_18_5.route('18.5', '18.3')).toBeUndefined();
  expect(chosen(WITH_18_5, ['18.3-9'], '18.5')).toContain('18.3 -> 18.4.1 -> 18.5. Begin with 18.4.1.');
});

test('where nothing leads on, every release says from where it does', () => {
  expect(chosen(WITH_18_5, ['17.2-1'])).toBe(
    'Nothing leads on from 17.2. What can be upgraded: 18.4.1 from 18.3 and 18.4; 18.5 from 18.4.1 or a later 18.4.x.',
  );
  expect(chosen(WITH_18_5, ['18.3-9', '18.4-1'])).toContain('different versions (18.3, 18.4)');
});

test('a version that several releases can follow has to be asked for by name', () => {
  const twin = {
    ...release1841,
    version: '18.4.2',
    paths: release1841.paths.map((path) => ({ ...path, to: '18.4.2' })),
    simulation: simulatedAs('18.4.2'),
  };
  expect(chosen(new Catalogue([release1841, twin]), ['18.3-9'])).toBe(
    '18.4.1 and 18.4.2 can follow 18.3; say which, by "to".',
  );
});

test('a release that is in the catalogue twice is a defect', () => {
  expect(() => new Catalogue([release1841, release1841])).toThrow('more than once');
});

test('no path leads back to an older version, however its notes put what it starts from', () => {
  const [path] = release1841.paths;
  if (!path) throw new Error('the release has a path');
  const open = new Catalogue([{ ...release1841, paths: [{ ...path, from: above('18.2') }] }]);
  expect(chosen(open, ['18.3-9'])).toBe('18.3 -> 18.4.1');
  expect(chosen(open, ['19.1-1'])).toContain('newer than 18.4.1');
  expect(chosen(open, ['19.1-1'], '18.4.1')).toBe(
    'Instances run 19.1, which is newer than 18.4.1; no upgrade leads back.',
  );
});

test('what the compiler does not see of a release is said when the catalogue is made', () => {
  const [path] = release1841.paths;
  if (!path) throw new Error('the release has a path');
  const twice = { ...path, to: '18.4.2', after: [...path.after, ...path.after.slice(-1)] };
  const wrong = { ...release1841, version: '18.5', paths: [twice], simulation: simulatedAs('18.4.2') };
  expect(() => new Catalogue([wrong])).toThrow(
    'The catalogue is wrong: 18.5: its simulation is of 18.4.2; 18.5: its simulation leads to 18.4.2; 18.5: a path of it leads to 18.4.2; 18.5: startProvisioning is there more than once',
  );
  expect(() => new Catalogue([{ ...release1841, paths: [] }])).toThrow('18.4.1: it has no path');
  expect(() => new Catalogue([{ ...release1841, paths: [...release1841.paths, path] }])).toThrow(
    '18.4.1: 2 paths start from 18.3',
  );
  const renamed = path.after.map((placed, index) =>
    index === 0 ? { ...placed, step: { ...placed.step, name: 'preflight' } } : placed,
  );
  const [, other] = release1841.paths;
  const paths = other ? [{ ...path, after: renamed }, other] : [];
  expect(() => new Catalogue([{ ...release1841, paths }])).toThrow('18.4.1: preflight is there more than once');
});
