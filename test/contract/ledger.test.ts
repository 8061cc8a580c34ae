/** What a ledger keeps of the steps that an operation has begun. Pure. */
import { emptyLedger, ledgerAfter, type Ledger, type LedgerNote } from '../../src/contract/ledger';

const operation = { provider: 'p', from: '18.3', to: '18.4.1', firstRun: 'r-1', workflowId: 'upgrade/p' };
const at = '2026-01-01T00:00:00.000Z';

const entered = (...instances: string[]): LedgerNote => ({ type: 'entered', operation, at, instances });

const after = (...notes: LedgerNote[]): Ledger =>
  notes.reduce(ledgerAfter, ledgerAfter(emptyLedger('i'), entered('i', 'j')));

const began = (before: unknown): LedgerNote => ({
  type: 'begun',
  operation,
  at,
  step: 'stopProvisioning',
  what: 'provisioning',
  before,
  facts: {},
});

test('however often a step begins, whatever was on at any time is kept, and only once', () => {
  const looks = (...each: unknown[]) => after(...each.map(began)).begun[0]?.before;
  expect(looks([16, 17], [17], [], [17, 18], [18, 16])).toEqual([[16, 17], [18]]);
  expect(looks([])).toEqual([[]]);
  expect(looks(true, true)).toEqual([true]);
});

test('every instance that the operation has seen at any time finds its ledger; those of an operation before it do not', () => {
  expect(after(entered('j', 'k')).instances).toEqual(['i', 'j', 'k']);
  const next: LedgerNote = {
    type: 'entered',
    operation: { ...operation, firstRun: 'r-2' },
    at,
    instances: ['k'],
    replaces: operation,
  };
  expect(after(next).instances).toEqual(['k']);
});

test('nothing is left of an import but what is still switched off', () => {
  const { begun, requests } = after(
    began([16]),
    { type: 'begun', operation, at, step: 'upgradeEndpoints', facts: {} },
    { type: 'importing', operation, at, requestId: 'q-1' },
    { type: 'importing', operation, at, requestId: 'q-1' },
  );
  expect(begun.map(({ step }) => step)).toEqual(['stopProvisioning']);
  expect(requests).toEqual(['q-1']);
});

test('what is set up once an import was begun is nothing to undo either', () => {
  const { begun } = after({ type: 'importing', operation, at, requestId: 'q-1' }, began([16]), {
    type: 'begun',
    operation,
    at,
    step: 'upgradeEndpoints',
    facts: {},
  });
  expect(begun.map(({ step }) => step)).toEqual(['stopProvisioning']);
});
