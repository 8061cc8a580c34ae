import type { Gate, UpgradeStatus } from '../../src/contract/status';
import { currentDetails } from '../../workflows/upgrade/current-details';

const status: UpgradeStatus = {
  provider: 'contoso',
  workflowId: 'upgrade/contoso',
  path: { from: '18.3', to: '18.4.1' },
  state: 'waiting',
  crossed: true,
  crossedAt: '2019-01-20T14:05:11.000Z',
  startedAt: '2019-01-20T14:00:00.000Z',
  switchedOff: [{ what: 'provisioning', since: '2019-01-20T14:01:00.000Z' }],
  switchedOffSeconds: {},
  steps: [
    { name: 'preflight', title: 'Preflight', procedure: '', phase: 'reversible', state: 'done' },
    { name: 'validate', title: 'Validate', procedure: '', phase: 'forward', state: 'pending', note: 'soon' },
  ],
  gates: [],
  holds: [],
  checks: [],
  notUndone: [],
  kept: [],
  auditEntries: 3,
};

const gate = (item: string): Gate => ({
  id: `updateCustomizations/${item}`,
  step: 'updateCustomizations',
  item,
  asked: 'operator',
  title: `Update ${item}`,
  instructions: 'Find the files.\nInstall them.',
  evidence: 'Their hashes.',
  answer: { name: 'confirmStep', payload: { step: 'updateCustomizations', item, by: '<who>', evidence: '<what>' } },
  openedAt: '2019-01-20T14:06:00.000Z',
});

/** Markdown joins lines that only a line break separates, unless they are list items. */
const paragraphs = (markdown: string): string[] => markdown.split('\n\n').flatMap((part) => part.split(/\n(?=- )/));

test('every fact and every step is a line of its own', () => {
  expect(paragraphs(currentDetails(status))).toEqual([
    '**18.3 → 18.4.1: waiting**',
    '- The point of no return was passed at 2019-01-20 14:05 UTC: forward only.',
    '- Provisioning is off since 2019-01-20 14:01 UTC.',
    '- ✅ Preflight',
    '- ⬜ Validate: soon',
  ]);
});

test('an open gate says who is asked, what to do, what counts, and which signal answers it', () => {
  const details = currentDetails({ ...status, gates: [gate('controlPanel'), gate('store-main')] });
  expect(paragraphs(details)).toEqual(
    expect.arrayContaining([
      '✋ **Update controlPanel** (asked: an operator; since 2019-01-20 14:06 UTC)',
      'Install them.',
      'Evidence: Their hashes.',
      'Signal `confirmStep`: `{"step":"updateCustomizations","item":"store-main","by":"<who>","evidence":"<what>"}`',
    ]),
  );
  expect(details.match(/Install them\./g)).toHaveLength(1);
});

test('text of people cannot become markup, links or hidden text', () => {
  const details = currentDetails({
    ...status,
    paused: {
      by: '[boss](http://evil.test)',
      reason: '**now** <img src=x> \u202e`x`\n# Title',
      since: status.startedAt,
    },
  });
  expect(details).toContain('\\[boss\\]\\(http://evil.test\\)');
  expect(details).toContain('\\*\\*now\\*\\* \\<img src=x\\>');
  expect(details).not.toContain('\u202e');
  expect(details).not.toContain('\n# Title');
});
