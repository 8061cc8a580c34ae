/** Ledgers of installations whose histories are kept. */
import type { Scenario } from './run-to-record';

const ANA = { by: 'ana@operations.example', reason: 'for the record' };

export const LEDGERS: Scenario[] = [
  {
    name: 'ledger-of-upgrade',
    settings: { approval: { beforeCrossing: true } },
    record: async (run) => {
      const { upgrade } = run;
      await upgrade.start({ startedBy: 'somebody else' });
      await upgrade.statusWhen(({ gates }) => gates.some(({ step }) => step === 'approveCrossing'));
      const ledger = upgrade.ledger();
      await run.record('of-running-upgrade', ledger);
      await upgrade.operate();
      await upgrade.result();
      await ledger.result();
      await run.record('of-completed-upgrade', ledger);
    },
  },
  {
    name: 'ledger-of-terminated',
    record: async (run) => {
      const { upgrade } = run;
      await upgrade.start();
      await upgrade.statusWhen(({ crossed, step }) => crossed && step === 'acquireRefreshTokens');
      await upgrade.workflow.terminate('for the record');
      const ledger = upgrade.ledger();
      await ledger.signal('finish', ANA);
      await run.recordWhen(
        'that-finishes',
        ({ childWorkflowExecutionStartedEventAttributes: child }) => child,
        1,
        ledger,
      );
      upgrade.startedByWorkflow();
      await upgrade.operate();
      await upgrade.result();
      await ledger.result();
      await run.record('of-finished-upgrade', ledger);
    },
  },
];
