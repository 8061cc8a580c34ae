/** The package of an upgrade that was in the package list before it: once anything is changed there is only forward. */
import type { OperationsFacts } from '../../src/contract/facts';
import { withoutRelease } from '../../src/contract/versions';

/** @returns the version in the list, with its release; undefined where `to` is not listed. */
export const listedOf = ({ enabledVersions }: OperationsFacts, to: string): string | undefined =>
  enabledVersions.find((version) => withoutRelease(version) === to);

export const wasListed = (version: string): string =>
  `${version} was in the package list before this upgrade, and what is imported cannot be rolled back`;
