import type { ApplicationInstance } from '../../src/contract/facts';
import { provesConnection } from '../../src/contract/provider';
import { withoutRelease } from '../../src/contract/versions';
import type { PreflightFacts } from '../engine/preflight-facts';
import { byInstance, type EveryInstanceHasToken, type InstancesUpgraded } from './facts';
import { AT_ONCE, settleAll, settleEach } from '../kit/settle-all';
import { forwardStep, type StepContext } from '../engine/step';
import { asksForConnections, asksForEach, confirmConnections, problemOfConnection } from './test-connection';

/**
 * One gate per application instance, all open at once: its partner's administrator consents in Microsoft's page
 * (systems.md 5.5). The click is not the evidence; the connection test is.
 */
export const acquireRefreshTokens = forwardStep<
  PreflightFacts & InstancesUpgraded & Partial<EveryInstanceHasToken>,
  EveryInstanceHasToken
>({
  ofInstances: true,
  name: 'acquireRefreshTokens',
  title: 'Acquire refresh tokens',
  waitsFor: 'the administrator of every partner account: consent in Microsoft’s page, then a connection test',
  asks: (foreseen) => [
    ...asksForEach(
      foreseen.facts.operations.instances,
      'partnerAdministrator',
      'Consent in Microsoft’s page for the partner account',
    ),
    ...asksForConnections(foreseen),
  ],
  run: async (context, { operations, everyInstanceHasToken }) => {
    const before = everyInstanceHasToken?.consentedAt ?? {};
    const instances = operations.instances.filter(({ id }) => !(id in before));
    const already = await settleEach(instances, AT_ONCE, (instance) => hasTokenAlready(context, instance));
    const times = await settleAll(
      instances.map(async (instance, index) => (already[index] ? null : await acquireToken(context, instance))),
    );
    context.note(`${operations.instances.length} instances have a refresh token`);
    return { everyInstanceHasToken: { consentedAt: { ...before, ...byInstance(instances, times) } } };
  },
});

/** @returns when the consent was given that the connection test then confirmed. */
async function acquireToken(context: StepContext, instance: ApplicationInstance): Promise<string> {
  const answer = await context.ask({
    item: String(instance.id),
    alias: instance.name,
    asked: 'partnerAdministrator',
    title: `Consent for instance "${instance.name}"`,
    instructions: CONSENT_INSTRUCTIONS,
    evidence: 'None: Test Connection of the application is what counts.',
    answeredBy: 'consentCompleted',
    verify: async () => (await confirmConnections(context, [instance]))[0]?.problem,
  });
  return answer.at;
}

export const CONSENT_INSTRUCTIONS = [
  `1. Have at hand a user of this instance's partner account with the roles Global admin and Admin agent, and multi-factor authentication switched on.`,
  '2. In the Provider Control Panel: Services > Applications > Office 365 > Instances > the instance > Office 365 > Settings > Manage Refresh Token; under Automatic Update click Update Refresh Token.',
  '3. In the window that opens, sign in as that user and click Accept. Wait for the message that the consent has been granted and the authorization code has been sent; then close the window.',
  '4. Back in the panel, the message that the refresh token has been updated appears.',
].join('\n');

/** Only an instance that was on the new version before this upgrade can have one. */
async function hasTokenAlready(context: StepContext, instance: ApplicationInstance): Promise<boolean> {
  const { connectionTest } = context.profile;
  if (withoutRelease(instance.packageVersion) !== context.to || !provesConnection(connectionTest)) return false;
  return (await problemOfConnection(context, instance)) === undefined;
}
