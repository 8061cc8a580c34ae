import { Catalogue } from '../../workflows/engine/catalogue';
import { CATALOGUE } from '../../workflows/releases';
import { WITH_18_5 } from '../kit/releases/catalogue';

const chosen = (catalogue: Catalogue, installed: string[], to?: string) => {
  const { chosen: found, problem } = catalogue.choose(installed, to);
  return found ? `${found.from} -> ${found.release.version}` : problem;
};

test('what is installed chooses the path while only one release fits', () => {
  expect(chosen(CATALOGUE, ['18.3-9', '18.3-9'])).toBe('18.3 -> 18.4.1');
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
  const [release] = CATALOGUE.releases;
  if (!release) throw new Error('the catalogue has a release');
  const twin = { ...release, version: '18.4.2' };
  expect(chosen(new Catalogue([release, twin]), ['18.3-9'])).toBe(
    '18.4.1 and 18.4.2 can follow 18.3; say which, by "to".',
  );
});

test('a release that is in the catalogue twice is a defect', () => {
  expect(() => new Catalogue([...CATALOGUE.releases, ...CATALOGUE.releases])).toThrow('more than once');
});
