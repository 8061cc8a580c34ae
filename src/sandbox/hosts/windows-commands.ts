/** The Windows commands that the sandbox's PowerShell module (`windows.psm1`) supplies, each answered by the simulated host. */
import { z } from 'zod';
import { parseList } from './access';
import { bindings } from './script-twins';
import type { SimulatedHost } from './simulated-host';

/** A command with the shape of its parameters. `gone` aborts when the PowerShell that asks was ended. */
function command<T extends z.ZodType>(
  parameters: T,
  act: (host: SimulatedHost, parameters: z.output<T>, gone: AbortSignal) => unknown,
) {
  return (host: SimulatedHost, body: unknown, gone: AbortSignal): unknown => act(host, parameters.parse(body), gone);
}

/** Identifiers as SDDL shortens them. */
const ACCOUNTS: Record<string, string> = { 'S-1-5-18': 'SY', 'S-1-5-32-544': 'BA' };
const account = (identifier: string): string => ACCOUNTS[identifier] ?? identifier;

/** `/setowner *<identifier>`, and `/inheritance:r /grant:r *<identifier>:(OI)(CI)F ...`; its exit code. */
function icacls(host: SimulatedHost, at: string, given: string[]): number {
  const [first, second, ...grants] = given.filter((argument) => argument !== '/q');
  if (first === '/setowner' && second?.startsWith('*')) {
    host.setAccess(at, { owner: account(second.slice(1)) });
    return 0;
  }
  const granted = grants.map((grant) => /^\*(S-[\d-]+):\(OI\)\(CI\)F$/.exec(grant)?.[1]);
  if (first !== '/inheritance:r' || second !== '/grant:r' || granted.includes(undefined)) return 87;
  host.setAccess(at, {
    isProtected: true,
    entries: granted.map((identifier = '') => `A;OICI;FA;;;${account(identifier)}`),
  });
  return 0;
}

const at = z.object({ path: z.string() });
const none = z.object({});
const wish = z.enum(['read', 'alone']);
const named = z.object({ name: z.string() });

export const WINDOWS_COMMANDS: Record<string, ReturnType<typeof command>> = {
  'Get-Website': command(none, (host) => host.sites().map(({ name, state }) => ({ name, state }))),
  'Get-WebBinding': command(named, (host, { name }) =>
    bindings(host, name).map((bindingInformation) => ({ protocol: 'https', bindingInformation })),
  ),
  'Get-WebApplication': command(named, (host, { name }) =>
    host.applications(host.findSite(name)).map((application) => ({
      path: `/${application.name}`,
      PhysicalPath: application.physicalPath,
      applicationPool: application.pool,
    })),
  ),
  'Get-ApplicationPools': command(none, (host) =>
    host.sites().flatMap(({ site }) =>
      host.applications(site).map(({ pool, application }) => ({
        name: pool,
        processModel: {
          identityType: application.poolIdentity ?? 'SpecificUser',
          userName: application.database.login,
        },
      })),
    ),
  ),
  'Get-WebAppPoolState': command(named, (host, { name }) => ({ Value: host.poolState(name) })),
  'Stop-WebAppPool': command(named, (host, { name }) => host.stopPool(name)),
  'Start-WebAppPool': command(named, (host, { name }) => host.startPool(name)),
  'Get-WebConfigurationBackup': command(none, (host) => host.configurationBackups().map((Name) => ({ Name }))),
  'Backup-WebConfiguration': command(named, (host, { name }) => host.backupConfiguration(name)),
  'Get-Service': command(named, (host, { name }) => ({ Name: name, Status: host.serviceState(name) })),
  Win32_Process: command(none, (host) => host.runningSetups().map((CommandLine) => ({ Name: 'cmd.exe', CommandLine }))),
  Win32_ComputerSystemProduct: command(none, (host) => ({ UUID: host.spec.identity.smbiosUuid.toUpperCase() })),
  Win32_ComputerSystem: command(none, (host) => ({ Domain: host.spec.domain ?? 'WORKGROUP' })),
  account: command(named, (host, { name }) => ({ known: host.spec.accounts?.[name] ?? null })),
  Win32_OperatingSystem: command(none, (host) => ({ LastBootUpTime: host.bootTime })),
  'shutdown.exe': command(z.object({ seconds: z.number() }), (host, { seconds }) => host.shutDown(seconds)),
  'Get-WindowsFeature': command(named, (host, { name }) => ({ Name: name, InstallState: host.featureState(name) })),
  'Install-WindowsFeature': command(named, (host, { name }) => host.installFeature(name)),
  'Get-ItemProperty': command(z.object({ key: z.string(), name: z.string() }), (host, { key, name }) => ({
    value: host.registryValue(key, name) ?? null,
  })),
  'Set-ItemProperty': command(
    z.object({ key: z.string(), name: z.string(), value: z.union([z.string(), z.number()]) }),
    (host, { key, name, value }) => host.setRegistryValue(key, name, value),
  ),
  'whoami /groups': command(none, (host) => [
    'BUILTIN\\Users                          Alias            S-1-5-32-545',
    host.spec.elevated
      ? 'Mandatory Label\\High Mandatory Level   Label            S-1-16-12288'
      : 'Mandatory Label\\Medium Mandatory Level Label            S-1-16-8192',
  ]),
  'Get-Acl': command(at, (host, { path }) => ({ sddl: host.accessTo(path) })),
  'Set-Acl': command(at.extend({ sddl: z.string() }), (host, { path, sddl }) => host.setAccess(path, parseList(sddl))),
  'icacls.exe': command(at.extend({ arguments: z.array(z.string()) }), (host, { path, arguments: given }) => ({
    exitCode: icacls(host, path, given),
  })),
  'Open-File': command(at.extend({ wish }), (host, { path, wish: wanted }) => ({
    refusal: host.openFiles.refusal(path, wanted) ?? null,
  })),
  iisreset: command(none, (host) => host.iisReset()),
  'Start-Process': command(z.object({ arguments: z.string(), directory: z.string() }), (host, parameters) => ({
    id: host.startSetup(parameters.directory, parameters.arguments),
  })),
  'Wait-Process': command(z.object({ id: z.number(), milliseconds: z.number() }), (host, parameters, gone) =>
    host.waitForSetup(parameters.id, parameters.milliseconds, gone),
  ),
  sysadmin: command(z.object({ dataSource: z.string(), login: z.string() }), (host, { dataSource, login }) => ({
    value: host.sysadmin(dataSource, login),
  })),
  connect: command(z.object({ address: z.string(), port: z.number() }), (host, { address, port }) => ({
    connection: host.connect(address, port),
  })),
  answer: command(
    z.object({ address: z.string(), hostname: z.string(), path: z.string() }),
    (host, { address, hostname, path }) => host.answer(address, hostname, path),
  ),
  DriveInfo: command(none, (host) => ({ AvailableFreeSpace: host.freeBytes })),
  'Expand-Archive': command(none, (host) => ({ half: host.unpacksHalf() })),
};
