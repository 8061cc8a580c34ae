/** The real folder that is a simulated host's disk: where things lie on it, and what their contents say. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HostApplication, HostSite } from '../hosts-port';

/** The host's own folder. */
export const hostDirectory = (hostsDirectory: string, host: string) => path.join(hostsDirectory, host);
/** What the configuration of its worker names. */
export const hostWorkDirectory = (hostsDirectory: string, host: string) =>
  path.join(hostDirectory(hostsDirectory, host), 'disk', 'Onward');
export const hostProgramData = (hostsDirectory: string, host: string) =>
  path.join(hostDirectory(hostsDirectory, host), 'disk', 'ProgramData');
/** Physical path of a gateway application. Renaming a site in IIS does not move its files. */
export const applicationDirectory = (hostsDirectory: string, host: string, site: HostSite, application: string) =>
  path.join(hostDirectory(hostsDirectory, host), 'disk', 'inetpub', site.installedAs, application);

/** Paths of all files below a folder, relative, with forward slashes, in ascending order. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

export function writeFile(folder: string, relative: string, content: string | Uint8Array): void {
  const file = path.join(folder, relative);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
}

/**
 * The file version that a sandbox assembly names on its second line (gateway-files.ts), as the four numbers that Windows goes by; `null`
 * for any other file.
 */
export function fileVersion(file: string): string | null {
  const text = /^FileVersion=(.+)$/m.exec(readFileSync(file, 'latin1'))?.[1];
  if (text === undefined) return null;
  return [...(text.match(/\d+/g) ?? []), '0', '0', '0', '0'].slice(0, 4).map(Number).join('.');
}

/** Versions of the assemblies in a gateway application's folder, each once. */
export function deployedVersions(folder: string): string[] {
  const assemblies = filesBelow(folder).filter((file) => /^bin\/[^/]+\.dll$/i.test(file));
  const versions = assemblies.map((file) => fileVersion(path.join(folder, file)));
  return [...new Set(versions.filter((version) => version !== null))].sort();
}

/** One hash over names and contents of everything in a folder. @param but absolute paths of files that are left out. */
export function folderDigest(folder: string, but: ReadonlySet<string> = new Set()): string {
  const hash = createHash('sha256');
  for (const file of filesBelow(folder).filter((name) => !but.has(path.join(folder, name))))
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(folder, file)))
      .update('\0');
  return hash.digest('hex');
}

/** web.config of a gateway application with its connection string in the place where Onward looks for it. */
function withConnectionString(webConfig: string, { database }: HostApplication): string {
  if (database.connectionString === 'missing') return webConfig;
  if (database.connectionString === 'encrypted') return withSection(webConfig, ENCRYPTED);
  const identity = database.login.includes('\\')
    ? 'Integrated Security=True'
    : `User ID=${database.login};Password=sandbox`;
  const text = `Data Source=${database.dataSource};Initial Catalog=${database.name};${identity}`;
  const attribute = text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
  return withSection(webConfig, [
    '<connectionStrings>',
    `  <add name="Gateway" connectionString="${attribute}" providerName="System.Data.SqlClient" />`,
    '</connectionStrings>',
  ]);
}

/** As `aspnet_regiis -pe` leaves it. */
const ENCRYPTED = [
  '<connectionStrings configProtectionProvider="RsaProtectedConfigurationProvider">',
  '  <EncryptedData />',
  '</connectionStrings>',
];

const withSection = (webConfig: string, lines: string[]): string =>
  webConfig.replace('</configuration>', [...lines.map((line) => `  ${line}`), '</configuration>'].join('\n'));

/** A file of a gateway application as setup.cmd installs it. */
export function installedFile(file: string, content: string, application: HostApplication): string {
  return file.toLowerCase() === 'web.config' ? withConnectionString(content, application) : content;
}

/**
 * The mark of a file that came from the internet. On a Windows disk this names an alternate stream of the file; elsewhere
 * it is a file beside it.
 */
const markOf = (file: string) => `${file}:Zone.Identifier`;
export const isBlocked = (file: string) => existsSync(markOf(file));
export const block = (file: string) => writeFileSync(markOf(file), '[ZoneTransfer]\r\nZoneId=3\r\n');
export const unblock = (file: string) => rmSync(markOf(file), { force: true });
