import { sameVersion } from '../../src/contract/versions';
import {
  above,
  allOf,
  anyOf,
  atLeast,
  below,
  exactly,
  knownByItsBeginning,
  sameLineFrom,
  type Versions,
} from '../../workflows/engine/versions';

const fitting = (versions: Versions, candidates: string[]): string[] =>
  candidates.filter((candidate) => versions.judge(candidate) === 'fits');

test('exactly takes the listed versions, however many zeros they are written with', () => {
  expect(fitting(exactly('18.3', '18.4'), ['18.3', '18.4', '18.4.0', '18.4.1', '18.30', '18', 'x'])).toEqual([
    '18.3',
    '18.4',
    '18.4.0',
  ]);
});

test('above takes any later version and not the version itself', () => {
  expect(fitting(above('20.3'), ['20.3', '20.3.0', '20.3.1', '20.4', '20.10', '21', '20.2.9'])).toEqual([
    '20.3.1',
    '20.4',
    '20.10',
    '21',
  ]);
});

test('below takes any earlier version', () => {
  expect(fitting(below('8.0'), ['7.4', '7.9.9', '8.0', '8', '8.0.1'])).toEqual(['7.4', '7.9.9']);
});

test('"x.y.z or a later x.y.*" stays on its line', () => {
  expect(fitting(sameLineFrom('18.4.1'), ['18.4', '18.4.0', '18.4.1', '18.4.2', '18.4.10', '18.5', '19.4.1'])).toEqual([
    '18.4.1',
    '18.4.2',
    '18.4.10',
  ]);
});

test('a platform that tells two numbers fits "8.0.0 or a later 8.0.x"', () => {
  expect(fitting(sameLineFrom('8.0.0'), ['8.0', '8.0.0', '8.0.7', '8.1'])).toEqual(['8.0', '8.0.0', '8.0.7']);
});

test('whether a minimum with a hotfix is met is undecided where the version does not tell its hotfix', () => {
  const versions = atLeast('8.2.0_hf134510');
  expect(versions.judge('8.2.0')).toBe('undecided');
  expect(versions.judge('8.2.0_hf134509')).toBe('fitsNot');
  expect(versions.judge('8.2.0_hf134510')).toBe('fits');
  expect(versions.judge('8.2.1')).toBe('fits');
  expect(versions.judge('8.3')).toBe('fits');
  expect(versions.judge('8.1')).toBe('fitsNot');
  expect(versions.judge('nightly')).toBe('fitsNot');
});

test('a platform that tells the beginning of its version is undecided where its rest would decide', () => {
  const judge = (versions: Versions, text: string) => knownByItsBeginning(versions).judge(text);
  expect(judge(atLeast('8.2.0_hf134510'), '8.2')).toBe('undecided');
  expect(judge(atLeast('8.2.1'), '8.2')).toBe('undecided');
  expect(judge(sameLineFrom('8.2.1'), '8.2')).toBe('undecided');
  expect(judge(above('8.2.0'), '8.2')).toBe('undecided');
  expect(judge(sameLineFrom('8.0.0'), '8.0')).toBe('fits');
  expect(judge(atLeast('8.2.1'), '8.3')).toBe('fits');
  expect(judge(below('8.0'), '8.0')).toBe('fitsNot');
  expect(judge(below('8.0'), '7.4')).toBe('fits');
});

test('all of several conditions have to hold', () => {
  const versions = allOf(above('18.4'), atLeast('18.4.1'), below('20.4'));
  expect(fitting(versions, ['18.4', '18.4.1', '19.3', '20.3.9', '20.4', '21.0'])).toEqual(['18.4.1', '19.3', '20.3.9']);
});

test('of several choices one that fits is enough, and an undecided one is not forgotten', () => {
  const versions = anyOf(sameLineFrom('7.4.0'), atLeast('8.2.0_hf134510'));
  expect(versions.judge('7.4')).toBe('fits');
  expect(versions.judge('8.2.0')).toBe('undecided');
  expect(versions.judge('8.0')).toBe('fitsNot');
  expect(versions.description).toBe('7.4.0 or a later 7.4.x, or 8.2.0_hf134510 or later');
});

test('a version in a predicate that is none is a defect, said when the release is loaded', () => {
  expect(() => above('soon')).toThrow('"soon" is no version');
  expect(() => exactly('18.4', '19.x')).toThrow('"19.x" is no version');
  expect(() => sameLineFrom('19')).toThrow('write 19.0 for all of 19.x');
});

test('zeros at the end make no other version, hotfixes do', () => {
  expect(sameVersion('18.4', '18.4.0')).toBe(true);
  expect(sameVersion('8.2.0_hf1', '8.2.0')).toBe(false);
});
