/**
 * Paths that must and must not compile. Every `@ts-expect-error` below is a promise of the builder; the test beside this
 * file compiles it, and a line that compiles although it must not is an error, too.
 */
import { upgradePath } from '../../workflows/engine/path';
import { forwardStep, readingStep, reversibleStep } from '../../workflows/engine/step';
import { approveCrossing } from '../../workflows/steps/approve-crossing';
import { collectGatewaySites } from '../../workflows/steps/collect-gateway-sites';
import { drainTasks } from '../../workflows/steps/drain-tasks';
import { importPackage } from '../../workflows/steps/import-package';
import { startProvisioning } from '../../workflows/steps/start-provisioning';
import { stopProvisioning } from '../../workflows/steps/stop-provisioning';
import { updateCustomizations } from '../../workflows/steps/update-customizations';
import { upgradeEndpoints } from '../../workflows/steps/upgrade-endpoints';
import { upgradeInstances } from '../../workflows/steps/upgrade-instances';
import { validate } from '../../workflows/steps/validate';

const versions = { from: '18.3', to: '18.4.1' };
const heading = { title: 'A step', procedure: 'none', waitsFor: 'nobody' };

const collected = upgradePath(versions).reversible(collectGatewaySites);
const drained = collected.reversible(stopProvisioning).reversible(drainTasks);
const approved = drained.reversible(upgradeEndpoints).reversible(approveCrossing);
const crossed = approved.pointOfNoReturn(importPackage);
const upgraded = crossed.forward(upgradeInstances);
const validated = upgraded.forward(updateCustomizations).forward(validate);

/** The complete procedure compiles. */
export const complete = validated.forward(startProvisioning).build();

// --- an undo past the point of no return

// @ts-expect-error after the point of no return the builder offers no reversible steps
crossed.reversible(stopProvisioning);

// @ts-expect-error a reversible step is not a forward step
crossed.forward(stopProvisioning);

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

// @ts-expect-error a reversible step without an undo is not one
export const reversibleWithoutUndo = reversibleStep<object, object, object>({
  name: 'stopProvisioning',
  ...heading,
  undoes: 'nothing',
  prepare: () => Promise.resolve({}),
  run: () => Promise.resolve({}),
  verify: () => Promise.resolve({}),
});

// --- the point of no return itself

// @ts-expect-error the crossing is no forward step: a path crosses once
crossed.forward(importPackage);

// @ts-expect-error the crossing cannot be undone
approved.reversible(importPackage);

// @ts-expect-error a forward step is no crossing
approved.pointOfNoReturn(upgradeInstances);

// @ts-expect-error forward steps come after the point of no return
approved.forward(upgradeInstances);

// @ts-expect-error a path without a point of no return is not finished
approved.build();

// --- steps before the facts that they need

// @ts-expect-error the endpoint is not upgraded before the tasks are drained
collected.reversible(stopProvisioning).reversible(upgradeEndpoints);

// @ts-expect-error the endpoint is not upgraded before its sites are known
upgradePath(versions).reversible(stopProvisioning).reversible(drainTasks).reversible(upgradeEndpoints);

// @ts-expect-error the package is not imported before the endpoint is upgraded: "endpoint first, application second"
drained.pointOfNoReturn(importPackage);

// @ts-expect-error an instance is not validated before the customizations are updated
upgraded.forward(validate);

// @ts-expect-error provisioning is not started before the upgrade is validated
upgraded.forward(startProvisioning);

// --- steps that are left out

// @ts-expect-error a path that leaves provisioning switched off is not finished
validated.build();
