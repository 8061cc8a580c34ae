export const COMPILED: string[];
export const COPIED: string[];
export interface BuildManifest {
  sources: string;
  workflows: string;
}
export function manifestOf(root: string): BuildManifest;
export function isBuilt(root: string): boolean;
export function readManifest(root: string): BuildManifest | undefined;
