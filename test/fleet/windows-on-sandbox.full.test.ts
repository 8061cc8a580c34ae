/**
 * What maintenance windows keep an upgrade from, and what they do not: the sandbox judges, by a clock that the tests set.
 *
 * @needs temporal
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { LookAtWindow } from '../../activities/maintenance';
import type { Notice } from '../../src/contract/activities';
import { WEEKDAYS } from '../../src/contract/maintenance';
import { lookAtWindow } from '../../src/maintenance/look-at-window';
import { patience } from '../kit/deadlines';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';

/** Shows a given time when it is looked at next, and goes on from there. */
class WallClock {
  private shows = 0;
  private ahead: number | undefined;

  set(time: string): void {
    this.shows = Date.parse(time);
    this.ahead = undefined;
  }

  readonly look: LookAtWindow = (maintenance, at, needed) => {
    const ahead = (this.ahead ??= this.shows - at);
    const verdict = lookAtWindow(maintenance, at + ahead, needed);
    const back = (time: string): string => new Date(Date.parse(time) - ahead).toISOString();
    return verdict.open
      ? { open: true, closesAt: back(verdict.closesAt) }
      : { open: false, opensAt: back(verdict.opensAt) };
  };
}

/** Hears the notices. */
class Webhook {
  private readonly listeners = new Map<string, (notice: Notice) => void>();
  private readonly server: Server = createServer((request, response) => {
    void text(request).then((body) => {
      const notice = JSON.parse(body) as Notice;
      this.listeners.get(`${notice.provider} ${notice.kind}`)?.(notice);
      response.end();
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  next(provider: string, kind: Notice['kind']): Promise<Notice> {
    return new Promise((resolve) => this.listeners.set(`${provider} ${kind}`, resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

const clock = new WallClock();
const webhook = new Webhook();
let rehearsal: Rehearsal;
beforeAll(async () => {
  await webhook.start();
  rehearsal = await Rehearsal.start({ lookAtWindow: clock.look });
});
afterAll(async () => {
  await rehearsal?.close();
  await webhook.close();
});

/** With one window, each night from 22:00 to 23:00 in Madrid, which in January is 21:00 to 22:00 in UTC. */
async function provider(id: string, afterCrossing: number): Promise<Upgrade> {
  const maintenance = {
    timeZone: 'Europe/Madrid',
    windows: [{ days: [...WEEKDAYS], from: '22:00', to: '23:00' }],
    afterCrossing,
  };
  const notify = [{ kind: 'webhook' as const, url: webhook.url }];
  return await rehearsal.provider({ id, sourceVersion: '18.4', instances: 1 }, { maintenance, notify });
}

test('outside of its window nothing of a provider is changed, until somebody opens it for this upgrade', async () => {
  clock.set('2027-01-12T12:00:00Z');
  const upgrade = await provider('closed', 60);
  await upgrade.start();
  const { window } = await upgrade.statusWhen(({ state }) => state === 'waitingForWindow');
  expect(Date.parse(window?.opensAt ?? '') - Date.now()).toBeGreaterThan(8 * 3_600_000);
  expect(upgrade.effects()).toEqual([]);

  await upgrade.workflow.executeUpdate('overrideWindow', { args: [{ by: 'ana', reason: 'agreed with the CSP' }] });
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  expect(upgrade.effects('packageImported')).toHaveLength(1);
});

test('an upgrade begins by itself when its window opens, and crosses only where what follows fits', async () => {
  clock.set('2027-01-12T20:59:59Z');
  const upgrade = await provider('short', 3600);
  const before = await upgrade.state();
  const told = webhook.next('short', 'waitingForWindow');
  await upgrade.start();
  const { window } = await upgrade.statusWhen(
    ({ state, steps }) =>
      state === 'waitingForWindow' && steps.some((step) => step.name === 'upgradeEndpoints' && step.state === 'done'),
  );
  expect(Date.parse(window?.opensAt ?? '') - Date.now()).toBeGreaterThan(23 * 3_600_000);
  expect(upgrade.effects('packageImported')).toEqual([]);
  expect(await upgrade.state()).not.toEqual(before);
  // What it has changed already interrupts the provider's business.
  expect(await told).toMatchObject({ body: expect.stringContaining('Provisioning is off since') });

  await upgrade.workflow.executeUpdate('abort', { args: [{ by: 'ana', reason: 'not tonight' }] });
  await upgrade.operate();
  expect(await upgrade.state()).toEqual(before);
});

test('a window that closes past the crossing is told and written down, and the upgrade goes on', async () => {
  // As long before its end as it may take to cross.
  clock.set(new Date(Date.parse('2027-01-12T22:00:00Z') - patience(12_000)).toISOString());
  const upgrade = await provider('closing', 1);
  const told = webhook.next('closing', 'windowClosed');
  await upgrade.start();
  await upgrade.statusWhen(({ crossed }) => crossed);
  const { body } = await told;
  expect(body).toContain('Past the point of no return the upgrade goes on.');
  expect(await upgrade.audit()).toContainEqual(expect.objectContaining({ what: 'window', detail: body }));

  const before = upgrade.effects().length;
  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  expect(upgrade.effects().slice(before)).toContainEqual(expect.stringMatching(/^templateActivated/));
});
