/** Folders compared by the lists of their files. */
import { createHash } from 'node:crypto';
import type { ExplicitAccess, HashedFile } from './scripts';

/** SHA-256 over the sorted list of relative path and content hash of every file. */
export function digestOf(files: HashedFile[]): string {
  const lines = files.map(({ path, sha256 }) => `${path}\0${sha256}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/** Paths of the files that are in only one list, or differ. */
export function differingFiles(one: HashedFile[], other: HashedFile[]): string[] {
  const hashes = (files: HashedFile[]) => new Map(files.map(({ path, sha256 }) => [path, sha256]));
  return differing(hashes(one), hashes(other));
}

/** Paths whose own access differs, or is in only one list. */
export function differingAccess(one: ExplicitAccess[], other: ExplicitAccess[]): string[] {
  const lists = (access: ExplicitAccess[]) => new Map(access.map(({ path, sddl }) => [path, sddl]));
  return differing(lists(one), lists(other));
}

const differing = (left: Map<string, string>, right: Map<string, string>): string[] =>
  [...new Set([...left.keys(), ...right.keys()])].filter((path) => left.get(path) !== right.get(path)).sort();
