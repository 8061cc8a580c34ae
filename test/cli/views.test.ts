import { createColors } from 'picocolors';
import { progressLines, waitingLines } from '../../src/cli/upgrade/change-lines';
import { gatesLines } from '../../src/cli/upgrade/gates-view';
import { howToAnswerGate, howToResolve } from '../../src/cli/upgrade/messages';
import { statusLines } from '../../src/cli/upgrade/status-view';
import type { Gate, Hold, StepStatus } from '../../src/contract/status';
import { consentGate, NOW, storeGate, upgradeStatus, view } from './fixtures';
import type { Calling } from '../../src/cli/kit/context';

const calling: Calling = { shell: 'posix', connection: [] };
const options = { now: NOW, paint: createColors(false), width: 120, calling };
const hold: Hold = {
  step: 'drainTasks',
  since: '2026-11-03T11:59:00.000Z',
  problem: 'Task 7 failed. Look at it.',
  actions: ['retry', 'rollback'],
};
const text = (lines: string[]): string => lines.join('\n');

describe('the status of an upgrade', () => {
  test('shows each step with how long it took, and the walking time of the one that is not done', () => {
    const lines = statusLines(view(), options);
    expect(lines.find((line) => line.includes('importPackage'))).toMatch(/✔ Title of importPackage\s+3 min 05 s/);
    expect(lines.find((line) => line.includes('acquireRefreshTokens'))).toMatch(
      /\? .*\s1 h 00 min\s+waiting for a person: 1 of 3/,
    );
  });

  test('says that the point of no return is passed, and draws it before the import', () => {
    const lines = statusLines(view(), options);
    expect(text(lines)).toContain('Point of no return passed at 2026-11-03 10:45:00 UTC: there is only forward.');
    const rule = lines.findIndex((line) => line.includes('── point of no return ──'));
    expect(lines[rule + 1]).toContain('importPackage');
    expect(text(statusLines(view({ crossed: false }), options))).toContain('Point of no return not passed.');
    const forwardOnly = 'PastPointOfNoReturn: 18.4.1-12 was in the package list before this upgrade.';
    expect(text(statusLines(view({ crossed: false, forwardOnly }), options))).toContain(forwardOnly);
  });

  test('says since when provisioning is off, and for how long it was once it is on again', () => {
    expect(text(statusLines(view(), options))).toContain(
      'Off: provisioning, since 2026-11-03 10:01:00 UTC (1 h 59 min).',
    );
    const isOn = view({ switchedOff: [], switchedOffSeconds: { provisioning: 7_140 } });
    expect(text(statusLines(isOn, options))).toContain('Was off for 1 h 59 min: provisioning.');
  });

  test('tells steps that were left out, or are being undone, from those that are still to come', () => {
    const left = (name: string, state: StepStatus['state'], note?: string): StepStatus => ({
      name,
      title: `Title of ${name}`,
      procedure: `Heading of ${name}`,
      phase: 'reversible',
      state,
      ...(note === undefined ? {} : { note }),
    });
    const steps = [
      left('upgradeRuntime', 'skipped', 'only for hosts below Windows Server 2019'),
      left('announceNewPlans', 'declined', 'ben@csp.example declined it: no reseller wants them'),
      left('stopProvisioning', 'undoing'),
      left('drainTasks', 'pending'),
    ];
    const shown = statusLines(view({ state: 'rollingBack', steps, gates: [] }), options).map((line) => line.trim());
    expect(shown).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^- Title of upgradeRuntime +skipped: only for hosts below Windows Server 2019$/),
        expect.stringMatching(/^- Title of announceNewPlans +declined: ben@csp\.example declined it: no reseller/),
        expect.stringMatching(/^↶ Title of stopProvisioning +being undone$/),
        expect.stringMatching(/^· Title of drainTasks$/),
      ]),
    );
    const before = view({ steps: steps.map((step) => left(step.name, 'pending')) });
    expect(progressLines(before, view({ steps }), NOW)).toEqual([
      'Title of upgradeRuntime skipped: only for hosts below Windows Server 2019',
      'Title of announceNewPlans declined: ben@csp.example declined it: no reseller wants them',
      'Title of stopProvisioning being undone',
    ]);
  });

  test('names what stays although everything else is undone', () => {
    const kept = ['upgradeRuntime: the runtime stays installed on gw-host-01'];
    expect(text(statusLines(view({ state: 'rolledBack', kept }), options))).toContain(kept[0]);
  });

  test('shows who is waited for, what the last answer lacked, and the command that answers', () => {
    const gates = [{ ...consentGate, lastProblem: 'Graph answered invalid_grant' }];
    const shown = text(statusLines(view({ gates }), options));
    expect(shown).toContain('Acquire the refresh token of CSP Europe, for 1 h 00 min');
    expect(shown).toContain('not yet: Graph answered invalid_grant');
    expect(shown).toContain('npx onward consent contoso 2');
  });

  test('shows a hold with its problem and one command for each decision that is left', () => {
    const shown = text(statusLines(view({ state: 'held', holds: [hold], gates: [] }), options));
    expect(shown).toContain('Task 7 failed. Look at it.');
    expect(shown).toContain("onward resolve contoso drainTasks retry --reason '<why>'");
    expect(shown).not.toContain('doneByHand');
  });

  test('shows warnings of the preflight, but not the checks that passed', () => {
    const shown = text(statusLines(view(), options));
    expect(shown).toContain('warning: Template 5 has both');
    expect(shown).not.toContain('OA 8.0');
  });

  test('names what could not be undone', () => {
    const shown = text(
      statusLines(view({ state: 'rollbackIncomplete', notUndone: ['site ews on gw-host-01'] }), options),
    );
    expect(shown).toContain('site ews on gw-host-01');
  });

  test('says so when the workflow was terminated under the upgrade', () => {
    expect(text(statusLines(view({}, 'terminated'), options))).toContain('The workflow was terminated');
  });

  test('never passes on an escape sequence that somebody typed', () => {
    const hostile = '\u001b]0;owned\u0007\u202e';
    const lines = statusLines(
      view({
        startedBy: hostile,
        paused: { by: hostile, reason: hostile, since: NOW.toISOString() },
        holds: [{ ...hold, step: hostile, problem: hostile }],
        gates: [
          { ...consentGate, title: hostile, answer: { name: 'consentCompleted', payload: { instance: hostile } } },
        ],
        steps: upgradeStatus().steps.map((step) => ({ ...step, note: hostile })),
      }),
      options,
    );
    expect(lines.join('')).not.toMatch(/\p{Cc}|\p{Cf}/u);
  });

  test('cuts a step to the width of the terminal', () => {
    const steps = upgradeStatus().steps.map((step) => ({ ...step, note: 'x'.repeat(500) }));
    const lines = statusLines(view({ steps, gates: [], checks: [] }), { ...options, width: 60 });
    expect(Math.max(...lines.slice(5).map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});

describe('how to answer', () => {
  test('an optional step is decided about, with a reason', () => {
    const gate: Gate = {
      ...storeGate,
      id: 'announceNewPlans',
      step: 'announceNewPlans',
      answer: {
        name: 'decideStep',
        payload: { step: 'announceNewPlans', action: '<run | decline>', by: '<who>', reason: '<why>' },
      },
    };
    const how = howToAnswerGate('contoso', gate, calling);
    expect(how.onward).toBe("npx onward decide contoso announceNewPlans '<run | decline>' --reason '<why>'");
    expect(how.temporal).toContain('--name decideStep');
  });

  test('a gate with an item is confirmed by name, the evidence left to be filled in', () => {
    const how = howToAnswerGate('contoso', storeGate, calling);
    expect(how.onward).toBe(
      "npx onward confirm contoso updateCustomizations --item main-store --evidence '<list of files>'",
    );
    expect(how.temporal).toBe(
      'temporal workflow signal --workflow-id upgrade/contoso --name confirmStep --input ' +
        `'{"step":"updateCustomizations","item":"main-store","by":"<who you are>","evidence":"<list of files>"}'`,
    );
  });

  test('names the server where it is not the default one', () => {
    const elsewhere = { ...calling, connection: ['--address', '127.0.0.1:7300'] };
    const how = howToAnswerGate('contoso', consentGate, elsewhere);
    expect(how.onward).toMatch(/ --address 127\.0\.0\.1:7300$/);
    expect(how.temporal).toMatch(/ --address 127\.0\.0\.1:7300$/);
  });

  test('keeps JSON exact where a name holds characters that cannot be shown', () => {
    const answer = { name: 'consentCompleted' as const, payload: { instance: 'CSP\u200b "Süd" it\u0027s' } };
    const { temporal } = howToAnswerGate('contoso', { ...consentGate, answer }, calling);
    expect(temporal).toContain(String.raw`'{"instance":"CSP\u200b \"Süd\" it'\''s"}'`);
  });

  test('what has changed in the entry is taken field by field, with the digest that was shown, where it may be taken', () => {
    const changed = [
      { field: 'operations.url', digest: '3f1c9a7e02b4' },
      { field: 'packages.18.4.1.sha256', digest: 'a56f00f7ceef' },
    ];
    const [take, ...others] = howToResolve('contoso', { ...hold, changed }, calling);
    expect(take?.onward).toContain('take contoso operations.url 3f1c9a7e02b4');
    expect(others.map(({ action }) => action)).toEqual(['retry', 'rollback']);
  });

  test('a hold is resolved by one of the decisions that it leaves open', () => {
    expect(howToResolve('contoso', hold, calling).map(({ action }) => action)).toEqual(['retry', 'rollback']);
  });
});

describe('the list of gates', () => {
  test('tells what to do, what counts as evidence, and both ways to answer', () => {
    const shown = text(gatesLines([upgradeStatus()], options));
    expect(shown).toContain('    Press *Acquire*.');
    expect(shown).toContain('    Test Connection succeeds.');
    expect(shown).toContain('npx onward consent contoso 2');
    expect(shown).toContain('temporal workflow signal --workflow-id upgrade/contoso --name consentCompleted');
    expect(shown).toContain('next reminder 2026-11-04 11:00:00 UTC');
  });

  test('does not repeat instructions that gates of one kind share', () => {
    const gates = [consentGate, { ...consentGate, id: 'acquireRefreshTokens/3', title: 'the other one' }];
    const shown = text(gatesLines([upgradeStatus({ gates })], options));
    expect(shown.match(/Press \*Acquire\*/g)).toHaveLength(1);
    expect(shown).toContain('as above');
  });

  test('says so when nobody is waited for', () => {
    expect(gatesLines([upgradeStatus({ gates: [] })], options)).toEqual(['Nothing waits for a person.']);
  });
});

describe('lines that are appended', () => {
  test('tell every change of the upgrade once', () => {
    const before = view({ gates: [], crossed: false });
    expect(text(progressLines(undefined, before, NOW))).toContain(
      'Title of preflight done (12 s): 14 checks passed, 1 warning',
    );
    expect(progressLines(before, view(), NOW)).toEqual(['Point of no return passed: there is only forward.']);
    expect(progressLines(view(), view(), NOW)).toEqual([]);
  });

  test('tell how to answer a gate when it opens, and that it was answered', () => {
    expect(waitingLines(view({ gates: [] }), view(), calling)).toEqual([
      'Waiting for a person: Acquire the refresh token of CSP Europe',
      '    npx onward consent contoso 2',
      expect.stringContaining('    temporal workflow signal'),
    ]);
    expect(waitingLines(view(), view(), calling)).toEqual([]);
    expect(waitingLines(view(), view({ gates: [] }), calling)).toEqual([
      'Answered: Acquire the refresh token of CSP Europe',
    ]);
  });

  test('tell why an answer was not enough, and nothing while the next one is verified', () => {
    const refused = view({ gates: [{ ...consentGate, lastProblem: 'invalid_grant' }] });
    expect(waitingLines(view(), refused, calling)).toEqual([
      'Not yet: Acquire the refresh token of CSP Europe: invalid_grant',
    ]);
    expect(waitingLines(refused, view(), calling)).toEqual([]);
  });

  test('tell how to decide about a step that holds', () => {
    const lines = waitingLines(view(), view({ holds: [hold] }), calling);
    expect(lines[0]).toBe('Held: drainTasks: Task 7 failed. Look at it.');
    expect(lines.filter((line) => line.includes('onward resolve'))).toHaveLength(2);
  });

  test('tell that the upgrade is over', () => {
    expect(progressLines(view(), view({ state: 'completed' }, 'completed'), NOW)).toEqual(['Upgrade completed.']);
  });
});
