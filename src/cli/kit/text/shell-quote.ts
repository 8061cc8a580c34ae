/** Shells that commands are printed for. */
export const SHELLS = ['posix', 'powershell'] as const;
export type Shell = (typeof SHELLS)[number];

export const shellOf = (platform: NodeJS.Platform): Shell => (platform === 'win32' ? 'powershell' : 'posix');

const PLAIN = /^[A-Za-z0-9_./:=+-]+$/;

/**
 * One argument, so that the shell hands it on exactly as it is.
 *
 * `powershell` means 7.3 or newer: Windows PowerShell 5.1 drops the double quotes of an argument on the way to a program,
 * whatever the quoting.
 */
export function quote(argument: string, shell: Shell): string {
  if (PLAIN.test(argument)) return argument;
  // PowerShell takes typographic single quotes for the plain one.
  return shell === 'posix'
    ? `'${argument.replaceAll("'", `'\\''`)}'`
    : `'${argument.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}

export function commandLine(argumentList: string[], shell: Shell): string {
  return argumentList.map((argument) => quote(argument, shell)).join(' ');
}
