/** A look at one provider before its upgrade: it reads, answers, and is over. */
import { defineQuery, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import {
  preflightInput,
  type PreflightInput,
  type PreflightReport,
  type PreflightStatus,
} from '../../src/contract/preflight';
import { QUERY } from '../../src/contract/status';
import type { Catalogue } from '../engine/catalogue';
import { lookBefore } from '../engine/look-before';
import { plain } from '../kit/plain-text';
import { readInput } from '../kit/read-input';
import { reading } from '../kit/reading';
import { loadProfile } from './load-profile';

/** The workflow for a catalogue of releases. Its input is that of an upgrade: `{"provider":"contoso"}`, with `to` where several fit. */
export function preflightAlong(catalogue: Catalogue): (input: PreflightInput) => Promise<PreflightReport> {
  return async (input) => {
    const request = readInput(
      preflightInput,
      input,
      () => [],
      (problems) =>
        `preflightProvider cannot start: ${problems}. The input reads {"provider":"<id in the inventory>"}, with "to":"<release>" where several fit, and "startedBy" as the upgrade would have it.`,
    );
    const awaited: string[] = ['the inventory'];
    setHandler(defineQuery<PreflightStatus>(QUERY.status), (): PreflightStatus => ({
      provider: request.provider,
      waitsFor: [...awaited],
    }));
    const sayingSo: typeof reading = async (what, read) => {
      awaited.push(what);
      try {
        return await reading(what, read);
      } finally {
        awaited.splice(awaited.indexOf(what), 1);
      }
    };
    const profile = await loadProfile(request);
    awaited.shift();
    const { workflowId, firstExecutionRunId: firstRun } = workflowInfo();
    const report = await lookBefore(profile, catalogue, request, { workflowId, firstRun }, sayingSo);
    setCurrentDetails(detailsOf(report));
    return report;
  };
}

/** For the Temporal UI, as Markdown: what stands against the upgrade first. */
function detailsOf({ verdict, checks, off }: PreflightReport): string {
  const of = (wanted: string, title: string): string[] => {
    const some = checks.filter((check) => check.verdict === wanted);
    return some.length === 0
      ? []
      : [`**${title}**`, ...some.map(({ name, message }) => `- ${name}: ${plain(message)}`)];
  };
  return [
    verdict === 'refused' ? 'An upgrade would be **refused** now.' : 'Nothing stands against an upgrade.',
    ...of('refusal', 'Against it'),
    ...of('warning', 'To know before'),
    ...off.map(
      ({ what, seconds, questions }) =>
        `${what} will be off for about ${Math.ceil(seconds / 60)} min of work, and while people answer ${questions} questions.`,
    ),
    'The result has all checks, and the steps with what each changes.',
  ].join('\n');
}
