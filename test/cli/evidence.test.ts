import { asMarkdown, asText } from '../../src/cli/kit/documents/document';
import { evidenceDocument } from '../../src/cli/upgrade/evidence-document';
import { evidencePack } from '../../src/cli/upgrade/evidence-pack';
import { audit, NOW, profile, record, upgradeStatus } from './fixtures';

const options = { now: NOW, onwardVersion: '1.0.0' };
const pack = evidencePack(upgradeStatus(), audit, record, options);

describe('the evidence pack', () => {
  test('tells each step with its length, and who answered what, accepted or refused', () => {
    expect(pack.steps.map(({ name, durationSeconds }) => [name, durationSeconds])).toEqual([
      ['preflight', 12],
      ['importPackage', 185],
      ['acquireRefreshTokens', 3600],
      ['startProvisioning', undefined],
    ]);
    expect(pack.answers.map(({ by, verdict }) => [by, verdict])).toEqual([
      ['ben@csp.example', 'accepted'],
      ['mallory', 'refused'],
    ]);
  });

  test('leaves the house without addresses and secret references, yet with the digest of the true entry', () => {
    const forms = [JSON.stringify(pack), asText(evidenceDocument(pack)), asMarkdown(evidenceDocument(pack))];
    for (const form of forms) {
      expect(form).not.toContain('hunter2');
      expect(form).not.toContain('topsecret');
      expect(form).not.toContain('mn.contoso.example');
      expect(form).not.toContain('env:PBA_PASSWORD');
    }
    const other = { ...profile, plans: [11] };
    const changed = evidencePack(upgradeStatus(), audit, { ...record, profile: other }, options);
    expect(changed.inputs.profileSha256).not.toBe(pack.inputs.profileSha256);
  });

  test('has the same digest whatever the order of the fields', () => {
    const reversed = Object.fromEntries(Object.entries(profile).reverse()) as typeof profile;
    const same = evidencePack(upgradeStatus(), audit, { ...record, profile: reversed }, options);
    expect(same.inputs.profileSha256).toBe(pack.inputs.profileSha256);
  });

  test('names versions, attempts and workers', () => {
    const text = asText(evidenceDocument(pack));
    expect(text).toContain('temporal-typescript 1.24.0');
    expect(text).toMatch(
      /3 min 05 s\s+completed\s+2\s+importPackage: import 18\.4\.1-12\s+123@control\s+connection reset/,
    );
  });

  test('names the operation, what is off, for how long each was off, and what stays', () => {
    const status = upgradeStatus({
      switchedOffSeconds: { synchronisation: 600 },
      kept: ['upgradeRuntime: the runtime stays installed'],
    });
    const changed = evidencePack(status, audit, record, options);
    expect(changed).toMatchObject({
      operation: 'contoso/18.3-18.4.1/7d9f',
      switchedOff: [{ what: 'provisioning', since: '2026-11-03T10:01:00.000Z' }],
      switchedOffSeconds: { synchronisation: 600 },
    });
    const text = asText(evidenceDocument(changed));
    expect(text).toMatch(/Operation +contoso\/18\.3-18\.4\.1\/7d9f/);
    expect(text).toMatch(/Off since then: provisioning +2026-11-03 10:01:00/);
    expect(text).toMatch(/Off meanwhile: synchronisation +10 min 00 s/);
    expect(text).toContain('upgradeRuntime: the runtime stays installed');
  });

  test('tells steps that were left out with the reason', () => {
    const status = upgradeStatus();
    const [first, ...rest] = status.steps;
    const left = { name: 'announceNewPlans', title: 'Announce the plans', procedure: '10', phase: 'forward' as const };
    const note = 'ben@csp.example declined it: no reseller wants them';
    const steps = [...(first ? [first] : []), { ...left, state: 'declined' as const, note }, ...rest];
    const told = asText(evidenceDocument(evidencePack({ ...status, steps }, audit, record, options)));
    expect(told).toMatch(/Announce the plans +10 +declined +ben@csp\.example declined it/);
  });

  test('says so where there is nothing to tell', () => {
    const bare = evidencePack(
      upgradeStatus({ checks: [], gates: [] }),
      [],
      { ...record, profile: undefined, actions: [] },
      options,
    );
    const text = asText(evidenceDocument(bare));
    expect(text).toContain('Nobody was asked.');
    expect(text).toContain('No step was held.');
    expect(text).toContain('It could not be loaded.');
  });

  test('cannot be broken out of as Markdown', () => {
    const hostile = '```\n# owned\n<img src=x onerror=y>';
    const marked = asMarkdown(
      evidenceDocument(
        evidencePack(upgradeStatus(), audit, { ...record, profile: { ...profile, name: hostile } }, options),
      ),
    );
    expect(marked).toContain('\\| not \\| a \\| table \\| &lt;script&gt;');
    const fence = /^(`{4,})$/m.exec(marked)?.[1];
    expect(fence).toBeDefined();
    expect(marked.split('\n').filter((line) => line === fence)).toHaveLength(2);
  });
});
