/** The report of a fleet as content: the same sections are text and parts of a page. Times are in UTC. */
import type { FleetProviderState } from '../../contract/fleet';
import type { Document, Section } from '../kit/documents/document';
import { formatDuration, formatTime } from '../kit/text/duration';
import { isAnswer } from '../upgrade/evidence-pack';
import { leftOutSection, requestFacts } from './plan-document';
import { countsText, FLEET_WORDS, fleetEndedFromOutside, STATE_LOOKS } from './provider-states';
import type { FleetReport, ReportedProvider, Spread } from './report';

export function reportDocument(report: FleetReport): Document {
  return {
    title: `Fleet ${report.fleet}`,
    sections: [
      summarySection(report),
      wavesSection(report),
      notUpgradedSection(report),
      failuresSection(report),
      timingsSection(report),
      ...report.waves.map(({ wave }) => providersSection(report, wave)),
      ...closingSections(report),
    ],
  };
}

export function summarySection(report: FleetReport): Section {
  const { counts, budget, leftOut } = report;
  const outside = fleetEndedFromOutside(report.execution, report);
  const left = leftOut.reduce((sum, { providers }) => sum + providers.length, 0);
  const later = report.providers.filter(({ since }) => since?.execution === 'completed').length;
  return {
    title: 'Summary',
    facts: [
      ['State', outside ?? FLEET_WORDS[report.state]],
      ...optional('Failure', report.failure),
      ['Providers', `${report.providers.length}: ${countsText(counts)}`],
      ...(later === 0 ? [] : optional('Upgraded since', `${later} by later starts`)),
      ...(left === 0 ? [] : optional('Left out', String(left))),
      ['Broken now', `${budget.broken}; the budget is ${budget.allowed}`],
      ['Started', `${formatTime(report.startedAt)} by ${report.startedBy}`],
      ...optional('Ended', report.endedAt && formatTime(report.endedAt)),
      ['Duration', length(report.seconds)],
      ['Workflow', report.workflowId],
      ['Report of', `${formatTime(report.generatedAt)}, Onward ${report.onwardVersion}`],
    ],
  };
}

export function wavesSection({ waves }: FleetReport): Section {
  return {
    title: 'Waves',
    table: {
      head: ['Wave', 'State', 'Providers', 'Broken', 'Allowed', 'Started', 'Took'],
      rows: waves.map(({ wave, state, counts, budget, startedAt, endedAt }) => [
        String(wave),
        state,
        countsText(counts),
        String(budget.broken),
        String(budget.allowed),
        startedAt === undefined ? '' : formatTime(startedAt),
        startedAt === undefined || endedAt === undefined
          ? ''
          : formatDuration(Date.parse(endedAt) - Date.parse(startedAt)),
      ]),
    },
  };
}

/** Whoever a reader has to know by name. */
export function notUpgradedSection({ providers }: FleetReport): Section {
  const told: FleetProviderState[] = ['held', 'parked', 'failed', 'unreachable', 'skipped'];
  return {
    title: 'Not upgraded in this fleet',
    table: {
      head: ['Provider', 'Wave', 'State', 'Cause', 'Problem', 'Since then'],
      rows: providers
        .filter(({ state }) => told.includes(state))
        .map((each) => [
          each.provider,
          String(each.wave),
          STATE_LOOKS[each.state].word,
          each.cause ?? '',
          each.problem ?? '',
          sinceText(each),
        ]),
    },
    otherwise: 'Nobody: all that have ended are upgraded.',
  };
}

function sinceText({ since }: ReportedProvider): string {
  if (since === undefined) return '';
  return since.execution === 'completed'
    ? `upgraded by a later start, ${formatTime(since.closedAt ?? since.startedAt)}`
    : `started again ${formatTime(since.startedAt)}: ${since.state ?? since.execution}`;
}

export function failuresSection({ failures }: FleetReport): Section {
  return {
    title: 'Failures by cause',
    table: {
      head: ['Providers', 'State', 'Cause', 'Who'],
      rows: failures.map(({ state, cause, providers }) => [
        String(providers.length),
        STATE_LOOKS[state].word,
        cause,
        some(providers),
      ]),
    },
    otherwise: 'None.',
  };
}

const NAMED = 12;
const some = (providers: string[]): string =>
  providers.slice(0, NAMED).join(', ') + (providers.length > NAMED ? ` and ${providers.length - NAMED} more` : '');

export function timingsSection({ timings }: FleetReport): Section {
  const row = (what: string, { count, mean, median, longest, of }: Spread): string[] => [
    what,
    String(count),
    length(mean),
    length(median),
    length(longest),
    of,
  ];
  return {
    title: 'Timings of completed upgrades',
    table: {
      head: ['What', 'Measured', 'Mean', 'Median', 'Longest', 'Of'],
      rows: [
        ...(timings.upgrades === undefined ? [] : [row('whole upgrade', timings.upgrades)]),
        ...timings.steps.map(({ step, ...spread }) => row(step, spread)),
      ],
    },
    otherwise: 'No upgrade has completed yet.',
  };
}

export function providersSection({ providers }: FleetReport, wave: number): Section {
  return {
    title: `Providers of wave ${wave}`,
    table: {
      head: ['Provider', 'From', 'State', 'Started', 'Crossed', 'Took', 'Cause'],
      rows: providers.filter((each) => each.wave === wave).map(providerRow),
    },
  };
}

export const providerRow = (each: ReportedProvider): string[] => [
  each.provider,
  each.from,
  STATE_LOOKS[each.state].word,
  each.startedAt === undefined ? '' : formatTime(each.startedAt),
  each.crossedAt === undefined ? '' : formatTime(each.crossedAt),
  each.seconds === undefined ? '' : length(each.seconds),
  each.cause ?? '',
];

export function closingSections({ leftOut, audit, request }: FleetReport): Section[] {
  return [
    leftOutSection(leftOut),
    {
      title: 'What people decided',
      table: {
        head: ['Time', 'Verdict', 'By', 'What', 'Detail'],
        rows: audit
          .filter(isAnswer)
          .map(({ at, verdict, by, what, detail }) => [formatTime(at), verdict, by, what, detail]),
      },
      otherwise: 'Nobody told the fleet anything.',
    },
    { title: 'Terms', facts: requestFacts(request) },
  ];
}

const length = (seconds: number): string => formatDuration(seconds * 1000);
const optional = (label: string, value: string | undefined): [string, string][] =>
  value === undefined ? [] : [[label, value]];
