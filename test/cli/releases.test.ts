import { asText } from '../../src/cli/kit/documents/document';
import {
  chainDocument,
  chainsFrom,
  releasesDocument,
  toldReleases,
  type Chain,
  type ToldRelease,
} from '../../src/cli/operations/releases-document';
import { Catalogue } from '../../workflows/engine/catalogue';
import type { AnyRelease } from '../../workflows/engine/release';
import { onlyWhere, optional, type Condition } from '../../workflows/engine/step';
import { sameLineFrom } from '../../workflows/engine/versions';
import { CATALOGUE } from '../../workflows/releases';
import { onward } from './fake-upgrades';
import { simulatedAs } from '../kit/releases/simulated';

const [known] = CATALOGUE.releases;
if (!known) throw new Error('The catalogue is empty.');
const [path] = known.paths;
if (!path) throw new Error('The release has no path.');

/** As the first path of the release that is known, with one step that may be declined and one that hangs on something. */
const after = path.after.map((placed, index) => {
  const old: Condition = { because: 'an old platform', holds: () => false };
  if (index === 1) return { ...placed, step: onlyWhere(old, placed.step, {}) };
  return index === 3 ? { ...placed, step: optional({ question: 'Is it wanted?' }, placed.step, {}) } : placed;
});
const next: AnyRelease = {
  ...known,
  version: '18.5',
  requirements: [],
  paths: [{ ...path, from: sameLineFrom('18.4.1'), to: '18.5', after }],
  simulation: simulatedAs('18.5'),
};
const two = new Catalogue([known, next]);

test('releases are listed with what they follow, require and oblige to, and with the steps of their paths', async () => {
  const { code, stdout, connections } = await onward(['releases']);
  expect({ code, connections }).toEqual({ code: 0, connections: [] });
  expect(stdout).toContain('Release 18.4.1\n');
  expect(stdout).toMatch(/^Can follow +18\.3 and 18\.4$/m);
  expect(stdout).toMatch(/^Requires +Odin Automation 8\.0\.0 or a later 8\.0\.x/m);
  expect(stdout).toMatch(/^Obliges to +Perform post-upgrade validation\.$/m);
  expect(stdout).toContain('From 18.4 to 18.4.1\n');
  expect(stdout).toMatch(/^9\. Start provisioning Office 365 services +startProvisioning: /m);
  expect(stdout).toMatch(/^7\. Start provisioning Office 365 services +startProvisioning: /m);
  expect(stdout).toMatch(/importPackage: .* POINT OF NO RETURN$/m);
});

test('as JSON they have the same, each step as a plan has it', async () => {
  const { stdout } = await onward(['releases', '--to', '18.4.1', '--json']);
  const { releases } = JSON.parse(stdout) as { releases: ToldRelease[] };
  expect(releases).toMatchObject([
    {
      version: '18.4.1',
      follows: ['18.3', '18.4'],
      requires: [{ component: 'Odin Automation' }],
      paths: [
        { from: '18.3', to: '18.4.1' },
        { from: '18.4', to: '18.4.1' },
      ],
    },
  ]);
  expect(releases[0]?.paths[0]?.steps).toContainEqual(
    expect.objectContaining({ name: 'importPackage', phase: 'crossing', requirement: 'mandatory' }),
  );
});

test('with a version, the upgrades that lead on from it are printed, whatever the release number of the package', async () => {
  const { code, stdout } = await onward(['releases', '--from', '18.3-9', '--to', '18.4.1', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    chains: [{ from: '18.3', to: '18.4.1', upgrades: [{ from: '18.3', to: '18.4.1' }] }],
  });
  const { stdout: already } = await onward(['releases', '--from', '18.4.1', '--to', '18.4.1']);
  expect(already).toContain('A provider on 18.4.1 runs it already');
});

test.each([
  [['--to', '99'], 4, 'Onward knows 18.4.1'],
  [['--from', '17.0', '--to', '18.4.1'], 4, '18.4.1 can follow 18.3 and 18.4'],
  [['--from', '17.0'], 4, '18.4.1 can follow 18.3 and 18.4'],
  [['--from', 'old'], 2, 'Give a version of the application'],
])('what %j asks for is not there, and what there is is said', async (options, code, said) => {
  const run = await onward(['releases', ...options]);
  expect(run).toMatchObject({ code, stdout: '' });
  expect(run.stderr).toContain(said);
});

test('a chain goes through every release on the way, each with what it requires and does', () => {
  const chains = chainsFrom(two, '18.3', '18.5');
  expect(chains).toMatchObject([
    {
      upgrades: [
        { from: '18.3', to: '18.4.1', requires: [{ component: 'Odin Automation' }] },
        { from: '18.4.1', to: '18.5', requires: [] },
      ],
    },
  ] satisfies [{ upgrades: Partial<Record<keyof Chain['upgrades'][number], unknown>>[] }]);
  const text = asText(chainDocument('18.3', chains));
  expect(text).toMatch(/^1\. +from 18\.3 to 18\.4\.1\n2\. +from 18\.4\.1 to 18\.5$/m);
  expect(text).toContain('What 18.4.1 requires');
  expect(text).toContain('From 18.4.1 to 18.5\n');
});

test('the command tells a chain of several upgrades', async () => {
  const catalogue = async () => two;
  const { stdout } = await onward(['releases', '--from', '18.4', '--to', '18.5'], undefined, { catalogue });
  expect(stdout).toMatch(/^1\. +from 18\.4 to 18\.4\.1\n2\. +from 18\.4\.1 to 18\.5$/m);
});

test('without a release the chains to all that the version leads to are told, without their steps', () => {
  const chains = chainsFrom(two, '18.3');
  expect(chains.map(({ to, upgrades }) => [to, upgrades.length])).toEqual([
    ['18.4.1', 1],
    ['18.5', 2],
  ]);
  expect(asText(chainDocument('18.3', chains))).not.toContain('POINT OF NO RETURN');
});

test('steps that need not be done say so', () => {
  const text = asText(releasesDocument(toldReleases(two)));
  expect(text).toMatch(/Can follow +18\.4\.1 or a later 18\.4\.x/);
  expect(text).toMatch(/acquireRefreshTokens: .* only for an old platform +only forward/);
  expect(text).toMatch(/updateCustomizations: .* unless somebody declines it +only forward/);
});
