/** What `onward preflight` and `onward plan` print, and how they end. */
import { FakeUpgrades, onward } from './fake-upgrades';
import { preflightReport } from './fixtures';

test('preflight lists problems first, with what they mean, whom it will ask and what will be off; exit code 3', async () => {
  const { code, stdout, stderr } = await onward(['preflight', 'contoso', '--address', '127.0.0.1:7000']);
  expect(code).toBe(3);
  expect(stdout.split('\n')).toEqual([
    'contoso  18.3 → 18.4.1  would be refused',
    '',
    'Against the upgrade: it would be refused before anything is touched.',
    '  instancesReady: "CSP US" is Upgrading. Finish it.',
    '    asked by: Upgrade instances',
    '',
    'To know before: the upgrade goes on all the same.',
    '  sharedHost: gw-host-01 also serves "Intranet".',
    '    asked by: iisreset',
    '',
    'In order: 1 checks',
    '  Operations answers.',
    '',
    'People will be asked:',
    '  partner\'s administrator, 2 times: Consent: "CSP EMEA", "CSP US" (acquireRefreshTokens)',
    '',
    'Provisioning will be off from stopProvisioning to startProvisioning: about 15 min of work, and as long as people take for 2 answers.',
    '  Assumed: importPackage 15 min. Open tasks come on top.',
    '',
    'What each step changes: npx onward plan contoso --address 127.0.0.1:7000',
    '',
  ]);
  expect(stderr).toContain('Waiting for Operations ...');
  expect(stderr).toContain('1 reason stands against it');
});

test('preflight ends with 0 where nothing stands against it, whatever warnings there are', async () => {
  const upgrades = new FakeUpgrades();
  const checks = upgrades.report.checks.filter(({ verdict }) => verdict !== 'refusal');
  upgrades.report = preflightReport({ verdict: 'clear', checks });
  const { code, stdout } = await onward(['preflight', 'contoso'], upgrades);
  expect(code).toBe(0);
  expect(stdout).toContain('nothing stands against the upgrade');
});

test('preflight --json prints the whole report, and nothing else', async () => {
  const { code, stdout, stderr } = await onward(['preflight', 'contoso', '--json']);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toEqual(preflightReport());
  expect(JSON.parse(stderr)).toMatchObject({ error: { kind: 'refused', exitCode: 3 } });
});

test('plan tells which call of which system changes what, and where the point of no return is', async () => {
  const { stdout } = await onward(['plan', 'contoso']);
  expect(stdout).toContain('changes: Operations, pem.deactivateST on Office 365 EMEA: cannot be subscribed');
  expect(stdout).toContain('undo: activates them again (pem.activateST)');
  expect(stdout.indexOf('point of no return')).toBeLessThan(stdout.indexOf('pem.APS.importPackage'));
  expect(stdout).toContain("asks: partner's administrator, 2 times: Consent");
});
