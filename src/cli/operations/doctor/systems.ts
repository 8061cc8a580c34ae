/** A look at what the inventory names: is each address of a system answered, as seen from this machine. */
import type { ProviderProfile } from '../../../contract/provider';
import { exchange, type HttpRequest } from '../../../systems/http';
import { SystemError } from '../../../systems/system-error';
import { pass, problem, type Finding } from './finding';

interface Address extends Pick<HttpRequest, 'caFile' | 'verifyTls' | 'legacyTls'> {
  system: string;
  url: string;
}

const DEADLINE_MS = 15_000;
/** So many questions at once. */
const AT_ONCE = 50;

/** Any answer over HTTP will do: only the way to the system is looked at, and nothing is called. */
export async function lookAtSystems(profiles: readonly ProviderProfile[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const addresses = distinct(profiles.flatMap(addressesOf));
  for (let index = 0; index < addresses.length; index += AT_ONCE) {
    findings.push(...(await Promise.all(addresses.slice(index, index + AT_ONCE).map(lookAt))));
  }
  return findings;
}

async function lookAt({ url, system, ...trust }: Address): Promise<Finding> {
  const about = `${system} at ${url}`;
  try {
    const { status } = await exchange({ ...trust, system, call: 'GET', method: 'GET', url, deadlineMs: DEADLINE_MS });
    return pass(about, `Answers (HTTP ${status}).`);
  } catch (error) {
    if (error instanceof SystemError) return problem(about, error.message);
    // A file that the entry names, such as that of an authority.
    if (error instanceof Error) return problem(about, `Could not be asked: ${error.message}`);
    throw error;
  }
}

/** Of each only the root: the path of a package or of a webhook may be its secret. */
function addressesOf({ operations, aps, billing, packages, connectionTest, notify }: ProviderProfile): Address[] {
  const trusted = ({ url, caFile, verifyTls, legacyTls }: typeof operations | typeof aps) => ({
    url,
    caFile,
    verifyTls,
    legacyTls,
  });
  const microsoft =
    connectionTest.adapter === 'microsoft' && 'loginUrl' in connectionTest
      ? (connectionTest as { loginUrl: string; partnerCenterUrl: string; graphUrl: string; caFile?: string })
      : undefined;
  return [
    { system: 'Operations', ...trusted(operations) },
    { system: 'APS', ...trusted(aps) },
    { system: 'Billing', ...trusted(billing) },
    ...Object.values(packages).map(({ url, caFile }) => ({ system: 'package server', url, caFile })),
    ...(microsoft === undefined
      ? []
      : [microsoft.loginUrl, microsoft.partnerCenterUrl, microsoft.graphUrl].map((url) => ({
          system: 'Microsoft',
          url,
          caFile: microsoft.caFile,
        }))),
    ...notify.flatMap((target) => (target.kind === 'webhook' ? [{ system: 'webhook', url: target.url }] : [])),
  ].map((address) => ({ ...address, url: new URL('/', new URL(address.url).origin).href }));
}

/** Providers may share a system; two that trust it differently are two. */
const distinct = (addresses: readonly Address[]): Address[] => [
  ...new Map(addresses.map((address) => [JSON.stringify(address), address])).values(),
];
