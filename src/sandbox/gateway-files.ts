/**
 * The files of a gateway application at one version: what setup.cmd of that version leaves in the application's folder.
 *
 * Relative path (with `/`) -> content. Assemblies are stand-ins that name their version on their second line, where the
 * sandbox's version reader finds it; web.config carries the version and the connection string's place.
 */
export function gatewayFiles(assemblyVersion: string): Record<string, string> {
  const assembly = (name: string) => `MZ sandbox assembly ${name}\nFileVersion=${assemblyVersion}\n`;
  return {
    'Web.config': [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<configuration>',
      '  <appSettings>',
      `    <add key="ApplicationVersion" value="${assemblyVersion}" />`,
      '  </appSettings>',
      '</configuration>',
      '',
    ].join('\n'),
    'Default.aspx': `<%@ Page %><!-- Office 365 gateway ${assemblyVersion} -->\n`,
    'bin/Office365.Gateway.dll': assembly('Office365.Gateway'),
    'bin/Office365.Provisioning.dll': assembly('Office365.Provisioning'),
    'bin/Office365.Data.dll': assembly('Office365.Data'),
  };
}
