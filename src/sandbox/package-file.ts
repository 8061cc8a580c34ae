/** The Office 365 application package, as the vendor delivers it: a zip that holds another, which holds setup.cmd. */
import { createHash } from 'node:crypto';
import { strToU8, zipSync, type Zippable } from 'fflate';
import type { SimulatedRelease } from '../contract/simulation';
import { gatewayFiles } from './gateway-files';
import { OFFICE_365 } from './world/state';

export interface PackageFile {
  /** Of the release, `18.4.1`. */
  version: string;
  fileName: string;
  packageVersion: string;
  sha256: string;
  body: Buffer;
}

/** Fixed, so that the same version is always the same bytes and the hash can be written into an inventory. */
const MODIFIED = new Date(2019, 0, 15, 12);

/**
 * Builds the package of a release. The archive inside holds `setup.cmd` and the gateway application's files under `Web/`; the
 * simulated setup.cmd copies `Web/` into the gateway application's folder, whatever is there.
 */
export function buildPackage(release: SimulatedRelease): PackageFile {
  const { version, target, package: file } = release;
  const web: Zippable = { 'setup.cmd': strToU8(SETUP_CMD) };
  for (const [path, content] of Object.entries(gatewayFiles(target.assemblyVersion))) {
    web[`Web/${path}`] = strToU8(content);
  }
  const body = Buffer.from(
    zipSync(
      {
        'APP-META.xml': strToU8(appMeta(release)),
        'APP-LIST.xml': strToU8(
          '<?xml version="1.0" encoding="UTF-8"?>\n<files xmlns="http://aps-standard.org/ns/2"/>\n',
        ),
        [file.webArchive]: zipSync(web, { mtime: MODIFIED }),
      },
      { mtime: MODIFIED },
    ),
  );
  return {
    version,
    fileName: file.fileName,
    packageVersion: target.packageVersion,
    sha256: createHash('sha256').update(body).digest('hex'),
    body,
  };
}

/** The package of one of the releases; throws where none leads to that version. */
export function packageFile(files: readonly PackageFile[], version: string): PackageFile {
  const found = files.find((file) => file.version === version);
  if (!found) {
    const known = files.map((file) => file.version).join(', ');
    throw new Error(`The sandbox has no package of ${version}; it has those of ${known}`);
  }
  return found;
}

/** Version and upgrade rule as Operations reads them from a package (systems.md 1.4.2). */
function appMeta({ target, package: file }: SimulatedRelease): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<application version="2.0" packaged="${file.packagedAt}" xmlns="http://aps-standard.org/ns/2">
  <id>${OFFICE_365}</id>
  <name>Office 365</name>
  <version>${target.version}</version>
  <release>${target.packageVersion.slice(target.version.length + 1)}</release>
  <upgrade match="version =gt= ${file.upgradesFrom}"/>
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
