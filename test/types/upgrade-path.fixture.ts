/**
 * Paths that must and must not compile. Every `@ts-expect-error` below is a promise of the builder; the test beside this
 * file compiles it, and a line that compiles although it must not is an error, too.
 */
import type { PreflightFacts } from '../../workflows/engine/preflight-facts';
import { upgradePath } from '../../workflows/engine/path';
import { defineRelease } from '../../workflows/engine/release';
import { releaseTerms } from '../../workflows/engine/terms';
import {
  forwardStep,
  lastingStep,
  onlyWhere,
  optional,
  readingStep,
  reversibleStep,
} from '../../workflows/engine/step';
import { exactly } from '../../workflows/engine/versions';
import { EMAIL_PARAMETER } from '../../workflows/releases/18.4.1/email-parameter';
import { from184 } from '../../workflows/releases/18.4.1/from-18.4';
import { release1841 } from '../../workflows/releases/18.4.1';
import { terms } from '../../workflows/releases/18.4.1/terms';
import { acquireRefreshTokens } from '../../workflows/steps/acquire-refresh-tokens';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import type { On, Validated } from '../../workflows/steps/facts';
import { guardConsents } from '../../workflows/steps/guard-consents';
import { importPackage } from '../../workflows/steps/import-package';
import { startProvisioning, stopProvisioning } from '../../workflows/steps/provisioning';
import { removeServiceParameter } from '../../workflows/steps/remove-service-parameter';
import { startSynchronisation, stopSynchronisation } from '../../workflows/steps/synchronisation';
import { updateCustomizations } from '../../workflows/steps/update-customizations';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';

const from183 = { from: exactly('18.3') };
const heading = { title: 'A step', waitsFor: 'nobody' };

const collected = upgradePath(terms, from183).reversible('1', collectGatewaySites);
const drained = collected.reversible('2', stopProvisioning).reversible('2', drainTasks);
const approved = drained.reversible('3', upgradeEndpoints).reversible('-', approveCrossing);
const crossed = approved.pointOfNoReturn('4', importPackage);
const upgraded = crossed.forward('4', upgradeInstances);
const consented = upgraded.forward('5', acquireRefreshTokens);
const removed = consented.forward('6', removeServiceParameter(EMAIL_PARAMETER));
const validated = removed.forward('7', updateCustomizations('KB 130232')).forward('8', validate);

/** The complete procedure compiles. */
export const complete = validated.forward('9', startProvisioning).build();

// --- an undo past the point of no return

// @ts-expect-error after the point of no return the builder offers no reversible steps
crossed.reversible('5', stopProvisioning);

// @ts-expect-error a reversible step is not a forward step
crossed.forward('5', stopProvisioning);

export const forwardWithUndo = forwardStep<object, object>({
  name: 'validate',
  ...heading,
  run: () => Promise.resolve({}),
  // @ts-expect-error a forward step has no undo
  undo: () => Promise.resolve(),
});

export const readingWithUndo = readingStep<object, object>({
  name: 'validate',
  ...heading,
  run: () => Promise.resolve({}),
  // @ts-expect-error a step that changes nothing has nothing to undo
  undo: () => Promise.resolve(),
});

export const lastingWithUndo = lastingStep<object, object>({
  name: 'installRuntime',
  ...heading,
  keeps: 'the runtime',
  run: () => Promise.resolve({}),
  verify: () => Promise.resolve({}),
  // @ts-expect-error what a lasting step does stays
  undo: () => Promise.resolve(),
});

// @ts-expect-error a reversible step without an undo is not one
export const reversibleWithoutUndo = reversibleStep<object, object, object>({
  name: 'stopProvisioning',
  ...heading,
  undoes: 'nothing',
  prepare: () => Promise.resolve({}),
  run: () => Promise.resolve({}),
  verify: () => Promise.resolve({}),
});

const lasting = lastingStep<object, { readonly runtime: true }>({
  name: 'installRuntime',
  ...heading,
  keeps: 'the runtime',
  run: () => Promise.resolve({ runtime: true }),
  verify: () => Promise.resolve({ runtime: true }),
});
export const withLasting = collected.lasting('0', lasting);

// @ts-expect-error a lasting step is not undone, and has to be called by its name
collected.reversible('0', lasting);

// @ts-expect-error what may be undone is not lasting
collected.lasting('0', stopProvisioning);

// @ts-expect-error lasting steps come before the point of no return
crossed.lasting('0', lasting);

// --- the point of no return itself

// @ts-expect-error the crossing is no forward step: a path crosses once
crossed.forward('4', importPackage);

// @ts-expect-error the crossing cannot be undone
approved.reversible('4', importPackage);

// @ts-expect-error a forward step is no crossing
approved.pointOfNoReturn('4', upgradeInstances);

// @ts-expect-error forward steps come after the point of no return
approved.forward('4', upgradeInstances);

// @ts-expect-error a path without a point of no return is not finished
approved.build();

// --- steps before the facts that they need

// @ts-expect-error the endpoint is not upgraded before its sites are known
upgradePath(terms, from183).reversible('2', stopProvisioning).reversible('3', upgradeEndpoints);

// @ts-expect-error the package is not imported before the crossing is approved
drained.reversible('3', upgradeEndpoints).pointOfNoReturn('4', importPackage);

// @ts-expect-error the crossing is not approved before the endpoint is upgraded: "endpoint first, application second"
drained.reversible('-', approveCrossing);

// @ts-expect-error nothing is validated before the instances are upgraded
crossed.forward('8', validate);

// @ts-expect-error what was not switched off is not switched on
upgraded.forward('9', startSynchronisation);

// @ts-expect-error the crossing is what a path is about: it is never left out
onlyWhere({ because: 'a new platform', holds: () => true }, importPackage, {});

// @ts-expect-error and nobody may decline it
optional({ question: 'Import?' }, importPackage, {});

const declinable = optional({ question: 'Remove it?' }, removeServiceParameter(EMAIL_PARAMETER), {
  'gone:o365_based_on_email': true,
});
// @ts-expect-error what meets an obligation of the release cannot be declined
consented.forward('6', declinable);

// --- obligations that are not met

// @ts-expect-error a path that leaves provisioning switched off is not finished
validated.build();

// @ts-expect-error a path of 18.4.1 that forgets the consents is not finished
upgraded
  .forward('6', removeServiceParameter(EMAIL_PARAMETER))
  .forward('8', validate)
  .forward('9', startProvisioning)
  .build();

// @ts-expect-error a path of 18.4.1 that leaves the parameter is not finished
consented.forward('8', validate).forward('9', startProvisioning).build();

// @ts-expect-error a path of 18.4.1 that does not validate is not finished
removed.forward('9', startProvisioning).build();

const light = releaseTerms<Validated>({ version: '18.4.2', obligations: { connectionTestedAt: 'Validate.' } });
const lightSites = upgradePath(light, { from: exactly('18.4.1') }).reversible('1', collectGatewaySites);
const lightCrossing = lightSites.reversible('3', upgradeEndpoints).reversible('-', approveCrossing);
export const lightPath = lightCrossing
  .pointOfNoReturn('4', importPackage)
  .forward('4', upgradeInstances)
  .forward('8', validate)
  .build();

const leftOff = lightSites
  .reversible('2', stopSynchronisation)
  .reversible('3', upgradeEndpoints)
  .reversible('-', approveCrossing)
  .pointOfNoReturn('4', importPackage)
  .forward('4', upgradeInstances)
  .forward('8', validate);

// @ts-expect-error what is switched off has to be switched on, also where no obligation of the release names it
leftOff.build();

export const switchedOnAgain = leftOff.forward('9', startSynchronisation).build();

// @ts-expect-error the obligations of a release are those of its terms, each with a sentence
releaseTerms<Validated & On<'provisioning'>>({ version: '18.4.2', obligations: { connectionTestedAt: 'Validate.' } });

const parts = { requirements: [], checks: [], exclusions: [], simulation: release1841.simulation };
export const lightRelease = defineRelease({ ...light, ...parts, paths: [lightPath], leavesBehind: [] });

// @ts-expect-error a path of another release does not meet the obligations of this one
defineRelease({ ...terms, ...parts, paths: [lightPath, from184], leavesBehind: [] });

// @ts-expect-error what is left behind needs facts that stand at the end of every path
defineRelease({ ...light, ...parts, paths: [lightPath], leavesBehind: [guardConsents] });

// --- steps that may be left out

const below8 = {
  because: 'Odin Automation below 8.0',
  holds: ({ operations }: PreflightFacts) => operations.build < 'oa-8',
};
export const conditional = collected.reversible('2', onlyWhere(below8, drainTasks, { tasksDrained: { waits: 0 } }));

// @ts-expect-error where the step is skipped, the facts that it would have given are needed all the same
collected.reversible('2', onlyWhere(below8, drainTasks, {}));

// @ts-expect-error what a declined step would have given is needed all the same
validated.forward('10', optional({ question: 'Wanted?' }, acquireRefreshTokens, {}));

// @ts-expect-error nobody may claim that provisioning is on again: a step has to have done it
validated.forward('9', optional({ question: 'Wanted?' }, startProvisioning, { 'on:provisioning': true }));

// @ts-expect-error the same for a step that is left out for some providers
validated.forward('9', onlyWhere(below8, startProvisioning, { 'on:provisioning': true }));

const claimed = { from: exactly('18.3'), already: { facts: { 'on:provisioning': true as const }, because: 'it is' } };
// @ts-expect-error the same for what a version has brought
upgradePath(terms, claimed);

/** What a plan says of changes is what the step may call. */
forwardStep<object, object>({
  ...heading,
  name: 'changesUnsaid',
  run: async ({ activities }) => {
    // @ts-expect-error the step does not say that it changes this
    await activities.operations.activateTemplates('activate', { entry: { provider: 'contoso' }, templateIds: [1] });
    return {};
  },
});
// @ts-expect-error what may be changed has to be said for the plan
forwardStep<object, object, 'activateTemplates'>({
  ...heading,
  name: 'changesLeftOut',
  run: async () => ({}),
});
forwardStep<object, object, 'activateTemplates'>({
  ...heading,
  name: 'changesSaid',
  changes: ['activateTemplates'],
  run: async ({ activities }) => {
    await activities.operations.activateTemplates('activate', { entry: { provider: 'contoso' }, templateIds: [1] });
    return {};
  },
});
