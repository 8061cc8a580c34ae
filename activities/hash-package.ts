/** What lies behind the URL of a package: Operations fetches it from there by itself, so nobody but we looks at what it is. */
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { FAILURE } from '../src/contract/activities';
import type { PackageFacts } from '../src/contract/facts';
import type { PackageSource } from '../src/contract/provider';
import { counted } from '../src/systems/calls';
import { exchange, statusFailure, type HttpRequest } from '../src/systems/http';
import { SystemError } from '../src/systems/system-error';
import type { Report } from './polling';

/** The package is large, and lines are slow. */
const DOWNLOAD_DEADLINE_MS = 55 * 60_000;
const MIB = 1024 * 1024;

/** Downloads the package, keeps nothing, and tells what it is. */
export async function hashPackage(
  version: string,
  { url, caFile }: PackageSource,
  report: Report,
): Promise<PackageFacts> {
  const hash = createHash('sha256');
  let bytes = 0;
  let reported = 0;
  const request: HttpRequest = {
    system: 'package server',
    call: 'GET',
    // Its address may hold a signature.
    object: `the package of ${version}`,
    method: 'GET',
    url,
    caFile,
    deadlineMs: DOWNLOAD_DEADLINE_MS,
    signal: Context.current().cancellationSignal,
    onChunk: (chunk) => {
      hash.update(chunk);
      bytes += chunk.length;
      if (bytes - reported < 16 * MIB) return;
      reported = bytes;
      report({ bytes });
    },
  };
  await counted(request.system, async () => {
    const { status } = await exchange(request);
    if (status !== 200) throw statusFailure(request, status);
  });
  return { sha256: hash.digest('hex'), bytes };
}

/** @throws Rejected where it is another file than the inventory names. */
export async function expectPackage(version: string, source: PackageSource, report: Report): Promise<void> {
  const { sha256 } = await hashPackage(version, source, report);
  if (sha256 === source.sha256) return;
  throw new SystemError({
    type: FAILURE.rejected,
    system: 'package server',
    call: 'GET',
    object: `the package of ${version}`,
    problem: `brought a file with SHA-256 ${sha256}, and the inventory expects ${source.sha256}; nothing was sent to Operations`,
    next: 'Put the file that the vendor delivered there.',
  });
}
