/**
 * WinSW, which runs any program as a Windows service: what it is told, and which builds of it are known.
 * https://github.com/winsw/winsw/blob/v2.12.0/doc/xmlConfigFile.md
 */

export const SERVICE = 'OnwardEndpoint';
export const RELEASE = 'https://github.com/winsw/winsw/releases/tag/v2.12.0';

/**
 * SHA-256 of builds that are known. WinSW itself publishes none for its releases; this one is what a dozen public projects have pinned for the
 * file WinSW-x64.exe of the release 2.12.0, each of its own download.
 */
export const KNOWN_WRAPPERS: Readonly<Record<string, string>> = {
  '05b82d46ad331cc16bdc00de5c6332c1ef818df8ceefcd49c726553209b3a0da': 'WinSW 2.12.0 for x64',
};

export interface ServiceDefinition {
  /** `DOMAIN\name$` of a group managed service account; without one the service is LocalSystem. */
  account?: string | undefined;
  /** Node.js, and what it is given. */
  program: string;
  arguments: string[];
  workingDirectory: string;
  logs: string;
  /** A worker that is told to end has this long, in seconds. */
  stopSeconds: number;
}

/** What WinSW reads beside its executable. */
export function configuration(service: ServiceDefinition): string {
  const [domain = '', user = ''] = service.account?.split('\\') ?? [];
  const account = element('serviceaccount', [
    element('domain', domain),
    element('user', user),
    element('allowservicelogon', 'true'),
  ]);
  return `${element('service', [
    element('id', SERVICE),
    element('name', 'Onward endpoint worker'),
    element('description', 'Upgrades the Office 365 gateway sites of this host when Onward asks for it.'),
    element('executable', service.program),
    element('arguments', service.arguments.map(quoteArgument).join(' ')),
    element('workingdirectory', service.workingDirectory),
    element('startmode', 'Automatic'),
    '<delayedAutoStart/>',
    // Never on IIS: every iisreset would stop the worker that runs it.
    element('depend', 'Tcpip'),
    element('depend', 'Dnscache'),
    element('stoptimeout', `${service.stopSeconds} sec`),
    // The other order would end PowerShell and setup.cmd before the worker could let go of them.
    element('stopparentprocessfirst', 'true'),
    '<onfailure action="restart" delay="10 sec"/>',
    '<onfailure action="restart" delay="1 min"/>',
    element('resetfailure', '1 hour'),
    element('logpath', service.logs),
    '<log mode="roll-by-size">\n  <sizeThreshold>10240</sizeThreshold>\n  <keepFiles>8</keepFiles>\n</log>',
    ...(service.account === undefined ? [] : [account]),
  ])}\n`;
}

/** One argument of a command line, so that a program of Microsoft's C runtime, such as Node.js, reads it as it is. */
export function quoteArgument(argument: string): string {
  if (argument !== '' && !/[\s"]/.test(argument)) return argument;
  // Backslashes count double before a double quote, and only there.
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

/** Why WinSW would read a text otherwise than it is written. */
export function misread(text: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return 'holds a line break or the like';
  if (text.includes('%')) return 'holds %, which WinSW takes for the name of a variable';
  return undefined;
}

function element(name: string, content: string | string[]): string {
  if (typeof content === 'string') return `<${name}>${escape(content)}</${name}>`;
  const lines = content.flatMap((one) => one.split('\n')).map((line) => `  ${line}`);
  return `<${name}>\n${lines.join('\n')}\n</${name}>`;
}

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
