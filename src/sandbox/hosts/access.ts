/** Who may do what with the files of a simulated host, as Windows writes it: SDDL. */
import { statSync } from 'node:fs';
import path from 'node:path';

/** What a file or folder has beside what it inherits. */
export interface OwnAccess {
  /** As SDDL writes accounts: `BA` for administrators. */
  owner: string;
  /** It inherits nothing. */
  isProtected: boolean;
  /** Entries of the list: `A;OICI;FA;;;SY`. */
  entries: string[];
}

/** What every folder on a new drive hands on: any local user may make files and folders, and read them. */
const DRIVE = ['A;OICI;FA;;;BA', 'A;OICI;FA;;;SY', 'A;OICI;0x1200a9;;;BU', 'A;OICI;0x1301bf;;;AU'];

/** @param drive folder that is the host's disk. */
export function accessOf(at: string, drive: string, own: (at: string) => OwnAccess): string {
  const { owner, isProtected, entries } = own(at);
  const inherited = isProtected ? [] : handedOn(path.dirname(at), drive, own);
  const isFolder = statSync(at).isDirectory();
  const shown = inherited.map((entry) => entry.replace('OICI', isFolder ? 'OICIID' : 'ID'));
  const list = [...entries, ...shown].map((entry) => `(${entry})`).join('');
  return `O:${owner}G:SYD:${isProtected ? 'P' : ''}AI${list}`;
}

/** What a folder hands on to what is in it. */
function handedOn(folder: string, drive: string, own: (at: string) => OwnAccess): string[] {
  if (folder === drive) return DRIVE;
  const { isProtected, entries } = own(folder);
  const inherited = isProtected ? [] : handedOn(path.dirname(folder), drive, own);
  return [...entries.filter((entry) => entry.includes('OICI')), ...inherited];
}

/** Which file it is: one that was deleted and made anew is another. */
export function fileId(at: string): string {
  const { ino, birthtimeNs } = statSync(at, { bigint: true });
  return `${ino}-${birthtimeNs}`;
}

/** The account's own part of a list that somebody sets: `D:P(A;;FR;;;BU)`. */
export function parseList(sddl: string): Pick<OwnAccess, 'isProtected' | 'entries'> {
  const [, flags = '', list = ''] = /D:([A-Z]*)((?:\([^)]*\))*)/.exec(sddl) ?? [];
  const entries = [...list.matchAll(/\(([^)]*)\)/g)].map(([, entry = '']) => entry);
  return { isProtected: flags.includes('P'), entries: entries.filter((entry) => !/;[^;]*ID/.test(entry)) };
}
