import {
  carriesApplication,
  cloudOf,
  hasDnsHosting,
  instanceNameOf,
  isTrialOnCcpV1,
  sellsAzureCsp,
  type TemplateResource,
} from '../../src/systems/office365';

const resource = (name: string, resourceClass = 'rc.saas.service', parameters = {}): TemplateResource => ({
  name,
  resourceClass,
  parameters,
});

describe('the cloud of an instance', () => {
  test.each([
    ['germany', { portalUrl: 'https://portal.office.de/' }],
    ['germany', { login: 'https://login.microsoftonline.de/common' }],
    ['germany', { adminLogin: 'admin@contoso.onmicrosoft.de' }],
    ['germany', { 'Microsoft Cloud': 'Microsoft Cloud Germany' }],
    ['china', { portalUrl: 'https://portal.partner.microsoftonline.cn' }],
    ['china', { tenant: 'contoso.partner.onmschina.cn' }],
    ['china', { cloudType: '21Vianet' }],
    ['usGovernment', { login: 'login.microsoftonline.us' }],
    ['usGovernment', { cloud: 'US Gov' }],
    ['global', { portalUrl: 'https://portal.office.com' }],
    ['global', { adminLogin: 'admin@contoso.onmicrosoft.com' }],
    ['unknown', { homepage: 'https://www.contoso.example', country: 'Germany' }],
    ['unknown', { homepage: 'https://microsoftonline.de.example.org', other: 'https://notmicrosoftonline.de' }],
    ['unknown', {}],
  ])('is %s by %j', (cloud, settings) => expect(cloudOf([settings])).toBe(cloud));

  test('is Germany when any source shows one sign of it, whatever else points elsewhere', () => {
    const global = { portalUrl: 'https://portal.office.com', api: 'https://api.partnercenter.microsoft.com' };
    expect(cloudOf([global, { notifications: 'ops@contoso.onmicrosoft.de' }])).toBe('germany');
  });
});

test('a template is of Office 365 when a resource of the SaaS classes belongs to its application', () => {
  expect(carriesApplication([resource('Tenant', 'rc.saas.service', { app_id: '17' })], 17)).toBe(true);
  expect(carriesApplication([resource('Tenant', 'rc.saas.service', { app_id: '170' })], 17)).toBe(false);
  expect(carriesApplication([resource('Site', 'siteapps', { app_id: '17' })], 17)).toBe(false);
});

test('Azure CSP is told from licences that have Azure in their name', () => {
  expect(sellsAzureCsp([resource('Azure CSP Subscription')])).toBe(true);
  expect(sellsAzureCsp([resource('Azure Active Directory Premium P1'), resource('Office 365 Tenant')])).toBe(false);
});

test('DNS Hosting is found by its words', () => {
  expect(hasDnsHosting([resource('DNS hosting (primary)')])).toBe(true);
  expect(hasDnsHosting([resource('Office 365 Domain')])).toBe(false);
});

test('a trial template counts as CCP v1 unless it brings UX1', () => {
  expect(isTrialOnCcpV1('Office 365 E3 Trial', [resource('Office 365 Tenant')])).toBe(true);
  expect(isTrialOnCcpV1('Office 365 E3 Trial', [resource('UX1 for Customers')])).toBe(false);
  expect(isTrialOnCcpV1('Office 365 Industrial', [resource('Office 365 Tenant')])).toBe(false);
});

test("an instance's name is found under the label's spellings, and an empty one is none", () => {
  expect(instanceNameOf({ instanceName: 'CSP EMEA' })).toBe('CSP EMEA');
  expect(instanceNameOf({ instance_name: ' CSP EMEA ' })).toBe('CSP EMEA');
  expect(instanceNameOf({ instanceName: ' ', name: 'x' })).toBeUndefined();
});
