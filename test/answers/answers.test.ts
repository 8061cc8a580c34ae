/**
 * Answers that nobody should give, to a real upgrade on a real server, as a signal and as an update. What each means to
 * the workflow alone is in test/workflows/upgrade.test.ts; that views are safe whatever they show, in test/cli.
 *
 * @needs temporal
 */
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { createColors } from 'picocolors';
import { asMarkdown, asText } from '../../src/cli/kit/documents/document';
import { evidenceDocument } from '../../src/cli/upgrade/evidence-document';
import { evidencePack } from '../../src/cli/upgrade/evidence-pack';
import { TemporalUpgrades } from '../../src/cli/upgrade/temporal-upgrades';
import { safeJson } from '../../src/cli/kit/text/safe-text';
import { auditLines } from '../../src/cli/upgrade/audit-view';
import { statusLines } from '../../src/cli/upgrade/status-view';
import type { Recorded } from '../../src/contract/messages';
import type { AuditEntry } from '../../src/contract/status';
import { Rehearsal, type Upgrade } from '../kit/rehearsal/rehearsal';
import { BAD_ANSWERS, HOSTILE, MEGABYTE } from './bad-answers';

let rehearsal: Rehearsal;
let upgrade: Upgrade;
beforeAll(async () => {
  rehearsal = await Rehearsal.start();
  upgrade = await rehearsal.provider(
    { id: 'answers', instances: 1, openTasks: 0 },
    { approval: { beforeCrossing: true } },
  );
  await upgrade.start({ startedBy: 'ana' });
  await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
});
afterAll(async () => {
  await rehearsal?.close();
});

/** The reason why an update is refused; `undefined` where it is not. */
async function refusalOf(name: string, payload: unknown): Promise<string | undefined> {
  try {
    await upgrade.workflow.executeUpdate<Recorded, [unknown]>(name, { args: [payload] });
    return undefined;
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) return error.cause?.message;
    throw error;
  }
}

/** Everything that an answer could have changed. */
async function everything(): Promise<unknown> {
  const { auditEntries, lastRefused, ...status } = await upgrade.status();
  return {
    status,
    effects: upgrade.effects(),
    provider: await upgrade.state(),
    known: auditEntries > 0 && lastRefused,
  };
}

const withoutRefusal = (all: unknown): unknown => ({ ...(all as object), known: undefined });

describe('while the crossing waits for its approval', () => {
  // Security: everything-audited
  test.each(BAD_ANSWERS)('$what changes nothing, and is refused with the reason', async (answer) => {
    const { name, payload, refused, by } = answer;
    const before = await everything();
    const { auditEntries } = await upgrade.status();

    await upgrade.workflow.signal(name, payload);
    await upgrade.statusWhen((status) => status.auditEntries > auditEntries);
    expect(await refusalOf(name, payload)).toMatch(refused);

    expect(withoutRefusal(await everything())).toEqual(withoutRefusal(before));
    const trail = (await upgrade.audit()).slice(auditEntries);
    expect(trail[0]).toMatchObject({
      what: `signal:${name}`,
      verdict: 'refused',
      detail: expect.stringMatching(refused) as string,
    });
    expect(trail[0]?.by.trim()).toMatch(by instanceof RegExp ? by : exactly(by));
    // An update that cannot be read is refused before it is recorded: only its sender hears of it.
    for (const entry of trail.slice(1)) expect(entry).toMatchObject({ what: `update:${name}`, verdict: 'refused' });
  });

  test('no megabyte is kept but in the signal that carried it', async () => {
    const kept = JSON.stringify([await upgrade.status(), await upgrade.audit(), await metadata()]);
    expect(kept.length).toBeLessThan(100_000);
    const { events } = await upgrade.workflow.fetchHistory();
    const carrying = events?.filter((event) => JSON.stringify(event).length > MEGABYTE.length / 2) ?? [];
    expect(carrying.map(({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName)).toEqual([
      'approveCrossing',
      'approveCrossing',
    ]);
    const { raw } = await upgrade.workflow.describe();
    expect(JSON.stringify(raw.workflowExecutionInfo?.memo ?? {}).length).toBeLessThan(10_000);
  });

  test('what somebody typed commands no terminal and no page', async () => {
    // Accepted this time: the pause shows who asked for it and why.
    await upgrade.workflow.signal('pause', { by: HOSTILE.slice(0, 199), reason: HOSTILE });
    await upgrade.statusWhen(({ paused }) => paused !== undefined);
    try {
      const upgrades = new TemporalUpgrades(rehearsal.client);
      const view = await upgrades.view('answers');
      const [audit, record] = [await upgrades.audit('answers'), await upgrades.record('answers')];
      const document = evidenceDocument(
        evidencePack(view.status, audit, record, { now: new Date(), onwardVersion: 'test' }),
      );
      const calling = { shell: 'posix', connection: [] } as const;
      const paint = createColors(false);
      const shown = [
        statusLines(view, { now: new Date(), paint, width: 200, calling: { ...calling, connection: [] } }).join('\n'),
        auditLines(audit, paint).join('\n'),
        asText(document),
        safeJson(audit, 2),
      ];
      for (const text of shown) expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u);
      for (const page of [asMarkdown(document), await metadata()]) {
        expect(page).toContain('evil.example');
        expect(page.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\p{Cs}|[\u202a-\u202e\u2066-\u2069\u200b]/u);
        expect(page).not.toMatch(
          /(?<!\\)\[click(?<!\\)\]|(?<!\\)<img|(?<!\\)\*\*bold|(?<!\\)~~struck|^# Title|^- \[ \]/m,
        );
      }
    } finally {
      await upgrade.workflow.signal('resume', { by: 'olga', reason: 'seen' });
    }
  });
});

test('an answer that was right is one once: its duplicate and whoever is late are refused', async () => {
  await upgrade.statusWhen(({ paused }) => paused === undefined);
  const approval = { by: 'anton', reason: 'agreed' };
  await upgrade.workflow.signal('approveCrossing', approval);
  await upgrade.workflow.signal('approveCrossing', approval);
  expect(await refusalOf('approveCrossing', { by: 'zoe', reason: 'so do I' })).toMatch(
    /has answered already|Nothing is asked about the crossing now/,
  );
  await upgrade.statusWhen(({ crossed }) => crossed);
  expect(await refusalOf('abort', { by: 'bo', reason: 'stop' })).toMatch(/PastPointOfNoReturn/);

  const { gates } = await upgrade.statusWhen(({ gates: open }) =>
    open.some(({ asked }) => asked === 'partnerAdministrator'),
  );
  expect(await refusalOf('consentCompleted', { instance: 'another', by: 'petra' })).toMatch(/Waited for: \d+/);
  expect((await upgrade.status()).gates).toEqual(gates);

  await upgrade.operate();
  expect(await upgrade.result()).toMatchObject({ to: '18.4.1' });
  expect(upgrade.effectCounts()).toMatchObject({ packageImported: 1, instanceUpgraded: 1 });
  const approvals = (await upgrade.audit()).filter(
    ({ what, by }: AuditEntry) => what === 'signal:approveCrossing' && by === 'anton',
  );
  expect(approvals.map(({ verdict }) => verdict)).toEqual(['accepted', 'refused']);
  await expect(upgrade.workflow.signal('abort', { by: 'bo', reason: 'too late' })).rejects.toThrow(
    /not found|completed/i,
  );
});

/** The current details, as the Temporal UI gets them. */
async function metadata(): Promise<string> {
  const { currentDetails } = await upgrade.workflow.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return currentDetails;
}

const exactly = (text: string): RegExp => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 's');
