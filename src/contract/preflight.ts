/** A look at one provider before its upgrade: what the workflow `preflightProvider` takes and answers. It changes nothing. */
import type { z } from 'zod';
import type { CheckResult, PlannedStep } from './status';
import { upgradeInput } from './upgrade-input';

/** As `upgradeProvider` takes it. */
export const preflightInput = upgradeInput.pick({ provider: true, to: true, startedBy: true });
export type PreflightRequest = z.output<typeof preflightInput>;
export type PreflightInput = z.input<typeof preflightInput>;

/** Any id will do: a look stands in nobody's way. */
export const preflightWorkflowId = (provider: string, look: string): string => `preflight/${provider}/${look}`;

export interface PreflightReport {
  provider: string;
  /** When it was looked, ISO 8601 in UTC. */
  at: string;
  /** `refused`: an upgrade that began now would end before it touches anything. */
  verdict: 'clear' | 'refused';
  /** Undefined where nobody knows which upgrade is meant. */
  path?: { from: string; to: string };
  checks: CheckResult[];
  /** The steps that would be taken; none where nobody knows which upgrade is meant. */
  steps: PlannedStep[];
  off: OffFor[];
}

/** Something that customers miss meanwhile. */
export interface OffFor {
  what: string;
  /** Names of the steps that switch it off and on. */
  from: string;
  to: string;
  /** Of Onward's own work in between, about. */
  seconds: number;
  /** How often people are asked in between, about; nobody knows how long they take. */
  questions: number;
}

/** What the query `status` of a look answers. */
export interface PreflightStatus {
  provider: string;
  /** What has not answered yet. */
  waitsFor: string[];
}
