import { matching } from '../../workflows/steps/collect-gateway-sites';

const APPLICATION = 'Office365GatewayApplication01';
/** A site with the application, by its bindings `address:port:hostname`. */
const site = (name: string, bindings: string[], application = APPLICATION) => ({
  name,
  state: 'Started',
  bindings: bindings.map((binding) => {
    const [address = '', port, hostHeader = ''] = binding.split(':');
    return { address, port: Number(port), hostHeader };
  }),
  applications: [{ name: application, physicalPath: '', versions: [] }],
});
type Site = ReturnType<typeof site>;

const found = (sites: Site[], hostname = 'gw1.contoso.local') =>
  matching({ hostname, application: APPLICATION, ip: '10.0.0.5' }, [{ host: 'gw', sites }]).map(
    (match) => match.site.name,
  );

describe('the site that serves a gateway', () => {
  test.each<[string, Site[], string[]]>([
    [
      'has its name where another on the same address has another one',
      [site('A', ['10.0.0.5:443:oldgw.contoso.local']), site('B', ['*:443:gw1.contoso.local'])],
      ['B'],
    ],
    [
      'has port 443, not another one on the same address',
      [site('A', ['10.0.0.5:8443:']), site('B', ['*:443:gw1.contoso.local'])],
      ['B'],
    ],
    ['has the address, where another takes all', [site('A', ['*:443:']), site('B', ['10.0.0.5:443:'])], ['B']],
    ['takes all addresses, where no other is there', [site('A', ['*:443:'])], ['A']],
    ['is for a person to say where two are alike', [site('A', ['*:443:']), site('B', ['*:443:'])], ['A', 'B']],
    ['is none that serves another name only', [site('A', ['10.0.0.5:443:oldgw.contoso.local'])], []],
    ['is found whatever the case of names', [site('A', ['*:443:GW1.Contoso.Local'], APPLICATION.toLowerCase())], ['A']],
  ])('%s', (_, sites, expected) => {
    expect(found(sites)).toEqual(expected);
  });
});
