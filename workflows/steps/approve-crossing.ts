import type { CrossingApproved, EndpointsUpgraded } from './facts';
import { readingStep } from '../engine/step';

/** Four eyes before the point of no return, where the provider wants them. */
export const approveCrossing = readingStep<EndpointsUpgraded, CrossingApproved>({
  name: 'approveCrossing',
  title: 'Approve the crossing',
  waitsFor: 'an approver who did not start the upgrade, where the provider wants it',
  asks: ({ profile, to }) =>
    profile.approval.beforeCrossing
      ? [{ asked: 'approver', what: `Approve the import of version ${to}`, times: 1 }]
      : [],
  run: async (context) => {
    if (!context.profile.approval.beforeCrossing) {
      context.note('not asked for by this provider');
    } else {
      const forwardOnly = context.forwardOnly();
      const { by } = await context.ask({
        asked: 'approver',
        title: `Import version ${context.to} for ${context.profile.provider}: after it there is no way back`,
        instructions: `The gateway sites run the new version. Read status and audit. ${
          forwardOnly === undefined
            ? 'Approve to import the package, or abort to restore the state from before, as long as nobody else imports the package: the package list is read before the first undo.'
            : `Approve to go on. ${forwardOnly}`
        }`,
        evidence: 'Your reason. Whoever started the upgrade cannot approve.',
        answeredBy: 'approveCrossing',
      });
      context.note(`approved by ${by}`);
    }
    return { crossingApproved: true };
  },
});
