/** The Office 365 application package, as the vendor delivers it: a zip that holds O365-Web.zip, which holds setup.cmd. */
import { createHash } from 'node:crypto';
import { strToU8, zipSync, type Zippable } from 'fflate';
import { withoutRelease } from '../contract/versions';
import { gatewayFiles } from './gateway-files';

export interface PackageFile {
  /** `Office_365-18.4.1-12.app.zip` (systems.md 1.8). */
  fileName: string;
  /** `18.4.1-12` */
  packageVersion: string;
  sha256: string;
  body: Buffer;
}

/** Fixed, so that the same version is always the same bytes and the hash can be written into an inventory. */
const MODIFIED = new Date(2019, 0, 15, 12);

/**
 * Builds the package of one version. `O365-Web.zip` holds `setup.cmd` and the gateway application's files under `Web/`;
 * the simulated setup.cmd copies `Web/` into the gateway application's folder.
 */
export function buildPackage(packageVersion: string): PackageFile {
  const version = withoutRelease(packageVersion);
  const release = packageVersion.slice(version.length + 1);
  const web: Zippable = { 'setup.cmd': strToU8(SETUP_CMD) };
  for (const [path, content] of Object.entries(gatewayFiles(packageVersion))) web[`Web/${path}`] = strToU8(content);
  const body = Buffer.from(
    zipSync(
      {
        'APP-META.xml': strToU8(appMeta(version, release)),
        'APP-LIST.xml': strToU8(
          '<?xml version="1.0" encoding="UTF-8"?>\n<files xmlns="http://aps-standard.org/ns/2"/>\n',
        ),
        'O365-Web.zip': zipSync(web, { mtime: MODIFIED }),
      },
      { mtime: MODIFIED },
    ),
  );
  return {
    fileName: `Office_365-${packageVersion}.app.zip`,
    packageVersion,
    sha256: createHash('sha256').update(body).digest('hex'),
    body,
  };
}

/** Version and upgrade rule as Operations reads them from a package (systems.md 1.4.2). */
function appMeta(version: string, release: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<application version="2.0" packaged="2019-01-15T12:00:00Z" xmlns="http://aps-standard.org/ns/2">
  <id>http://www.parallels.com/Office365</id>
  <name>Office 365</name>
  <version>${version}</version>
  <release>${release}</release>
  <upgrade match="version =gt= 18.3"/>
</application>
`;
}

const SETUP_CMD = [
  '@echo off',
  'rem Stand-in of the sandbox: the simulated host acts out what the real setup.cmd does.',
  'rem setup.cmd -GatewaySiteName <name> -GatewayAppName <name> -GatewayIPAddress <ip> -GatewaySiteCertSubject <hostname> -Force',
  'echo This setup.cmd belongs to a simulated package and does nothing on a real host.',
  'exit /b 1',
  '',
].join('\r\n');
