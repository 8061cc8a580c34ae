export function missingPackages(lock: Lock, installed: Lock | undefined, options: { dev: boolean }): string[];

/** As far as it is looked at: package-lock.json, and what npm writes into node_modules. */
interface Lock {
  packages: Record<string, { version: string; dev?: boolean; optional?: boolean }>;
}
