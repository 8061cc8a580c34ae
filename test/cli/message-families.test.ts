import { GUARD_MESSAGES } from '../../src/cli/consent/messages';
import { FLEET_MESSAGES } from '../../src/cli/fleet/messages';
import { UPGRADE_MESSAGES } from '../../src/cli/upgrade/messages';
import { guardMessages } from '../../src/contract/consent';
import { fleetMessages } from '../../src/contract/fleet';
import { MESSAGE_NAMES } from '../../src/contract/messages';
import { FakeFleets } from './fake-fleets';
import { FakeMailbox } from './fake-mailbox';
import { FakeUpgrades, onward } from './fake-upgrades';

const words = (line: string): string[] =>
  Array.from(line.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? plain ?? '');

const examples = [UPGRADE_MESSAGES, FLEET_MESSAGES, GUARD_MESSAGES].flatMap(({ under, commands }) =>
  Object.entries<{ command: string; examples: readonly string[] }>(commands).flatMap(
    ([name, { command, examples: lines }]) =>
      lines.map((line): [string, string] => [[...under, command, line].join(' '), name]),
  ),
);

test.each(examples)('the example onward %s sends a %s', async (line, name) => {
  const upgrades = new FakeUpgrades();
  const fleets = new FakeFleets();
  const guards = new FakeMailbox('Thank you.');
  const { stderr, code } = await onward(words(line), upgrades, {
    connectFleets: async () => fleets,
    connectConsents: async () => ({
      messages: guards,
      list: async () => ({ consents: [], unreadable: [] }),
      close: async () => undefined,
    }),
  });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  const sent = [...upgrades.messages.sent, ...fleets.messages.sent, ...guards.sent];
  expect(sent.map((each) => each.name)).toEqual([name]);
});

test('every message has an example, and help shows it', async () => {
  const names = [...MESSAGE_NAMES, ...Object.keys(fleetMessages), ...Object.keys(guardMessages)];
  expect(new Set(examples.map(([, name]) => name))).toEqual(new Set(names));
  expect((await onward(['fleet', 'decide', '--help'])).stdout).toContain(
    'onward fleet decide autumn continue --run 10%',
  );
});
