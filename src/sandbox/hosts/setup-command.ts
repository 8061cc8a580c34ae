/** The command line of setup.cmd, read as strictly as the release notes write it. */

export interface SetupArguments {
  site: string;
  application: string;
  ip: string;
  hostname: string;
}

const SETUP =
  /^\.\\setup\.cmd -GatewaySiteName "([^"]*)" -GatewayAppName "([^"]*)" -GatewayIPAddress "([^"]*)" -GatewaySiteCertSubject "([^"]*)" -Force$/;
const THROUGH_CMD = /^\/d \/s \/c "(.*) > "([^"]*)" 2>&1 < NUL"$/;

/** How cmd.exe was called: setup.cmd's arguments and the file for its output; `undefined` for anything else. */
export function parseSetupCommand(argumentList: string): { setup: SetupArguments; output: string } | undefined {
  const [, command = '', output = ''] = THROUGH_CMD.exec(argumentList) ?? [];
  const [, site, application, ip, hostname] = SETUP.exec(command) ?? [];
  if (site === undefined || application === undefined || ip === undefined || hostname === undefined) return undefined;
  return { setup: { site, application, ip, hostname }, output };
}

/** The command line that setup.ps1 gives to cmd.exe. */
export function setupCommandLine({ site, application, ip, hostname }: SetupArguments, output: string): string {
  const command =
    `.\\setup.cmd -GatewaySiteName "${site}" -GatewayAppName "${application}"` +
    ` -GatewayIPAddress "${ip}" -GatewaySiteCertSubject "${hostname}" -Force`;
  return `/d /s /c "${command} > "${output}" 2>&1 < NUL"`;
}
