/** The files of a gateway application at one version: what setup.cmd of that version leaves in the application's folder. */
import { withoutRelease } from '../contract/versions';

/** `18.3-9` -> `18.3.0.9`, the four numbers of an assembly. */
export function assemblyVersion(packageVersion: string): string {
  const version = withoutRelease(packageVersion);
  const release = packageVersion.slice(version.length + 1) || '0';
  const numbers = version.split('.');
  while (numbers.length < 3) numbers.push('0');
  return [...numbers, release].join('.');
}

/**
 * Relative path (with `/`) -> content. Assemblies are stand-ins that name their version on their second line, where the
 * sandbox's version reader finds it; web.config carries the version and the connection string's place.
 */
export function gatewayFiles(packageVersion: string): Record<string, string> {
  const version = assemblyVersion(packageVersion);
  const assembly = (name: string) => `MZ sandbox assembly ${name}\nFileVersion=${version}\n`;
  return {
    'Web.config': [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<configuration>',
      '  <appSettings>',
      `    <add key="ApplicationVersion" value="${version}" />`,
      '  </appSettings>',
      '</configuration>',
      '',
    ].join('\n'),
    'Default.aspx': `<%@ Page %><!-- Office 365 gateway ${version} -->\n`,
    'bin/Office365.Gateway.dll': assembly('Office365.Gateway'),
    'bin/Office365.Provisioning.dll': assembly('Office365.Provisioning'),
    'bin/Office365.Data.dll': assembly('Office365.Data'),
  };
}
