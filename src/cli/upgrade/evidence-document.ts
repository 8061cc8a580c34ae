import { stringify } from 'yaml';
import type { AuditEntry } from '../../contract/status';
import type { Document, Section } from '../kit/documents/document';
import { formatDuration, formatTime } from '../kit/text/duration';
import type { EvidencePack } from './evidence-pack';
import { STATE_WORDS } from './upgrade-state';
import type { Action } from './upgrades';

/** The evidence pack for people. Times are in UTC. */
export function evidenceDocument(pack: EvidencePack): Document {
  const { profile } = pack.inputs;
  return {
    title: `Upgrade of ${pack.provider}: evidence`,
    sections: [
      summary(pack),
      steps(pack),
      answers(pack),
      {
        title: 'Preflight checks',
        table: {
          head: ['Verdict', 'Check', 'Finding', 'From the release notes'],
          rows: pack.checks.map((check) => [check.verdict, check.name, check.message, check.source]),
        },
        otherwise: 'The preflight did not run.',
      },
      {
        title: 'Holds and decisions',
        table: { head: TRAIL_HEAD, rows: pack.holds.map(trailRow) },
        otherwise: 'No step was held.',
      },
      ...(pack.notUndone.length === 0 ? [] : [{ title: 'Not undone', list: pack.notUndone }]),
      ...(pack.kept.length === 0 ? [] : [{ title: 'What stays, whatever happens', list: pack.kept }]),
      {
        title: 'Actions',
        table: {
          head: ['Scheduled', 'Took', 'Outcome', 'Attempts', 'Action', 'Worker', 'Problem'],
          rows: pack.actions.map(actionRow),
        },
      },
      versions(pack),
      {
        title: 'Inventory entry, as frozen at the start',
        ...(profile === undefined ? {} : { block: stringify(profile) }),
        otherwise: 'It could not be loaded.',
      },
      { title: 'Audit trail', table: { head: TRAIL_HEAD, rows: pack.audit.map(trailRow) } },
    ],
  };
}

/** How it went, narrow enough for a terminal: each step, how long, who answered what. */
export function outcomeDocument(pack: EvidencePack): Document {
  return {
    title: `Upgrade of ${pack.provider}`,
    sections: [summary(pack), without(steps(pack), 'Procedure'), without(answers(pack), 'What the upgrade said')],
  };
}

function without(section: Section, column: string): Section {
  if (section.table === undefined) return section;
  const { head, rows } = section.table;
  const kept = (cells: string[]): string[] => cells.filter((_, index) => head[index] !== column);
  return { ...section, table: { head: kept(head), rows: rows.map(kept) } };
}

function answers(pack: EvidencePack): Section {
  return {
    title: 'Who answered what',
    table: {
      head: ['Time', 'By', 'Answer', 'About', 'Verdict', 'What the upgrade said'],
      rows: pack.answers.map(({ at, by, what, subject, verdict, detail }) => [
        formatTime(at),
        by,
        what,
        subject ?? '',
        verdict,
        detail,
      ]),
    },
    otherwise: 'Nobody was asked.',
  };
}

function summary(pack: EvidencePack): Section {
  const { result, failure } = pack;
  const time = (label: string, iso: string | undefined): [string, string][] =>
    iso === undefined ? [] : [[label, formatTime(iso)]];
  return {
    title: 'Summary',
    facts: [
      ['Result', STATE_WORDS[pack.state]],
      ...(failure === undefined ? [] : [['Failure', `${failure.type}: ${failure.message}`] as [string, string]]),
      ...(pack.path === undefined ? [] : [['Path', `${pack.path.from} to ${pack.path.to}`] as [string, string]]),
      ['Started', `${formatTime(pack.startedAt)}${pack.startedBy === undefined ? '' : ` by ${pack.startedBy}`}`],
      ...time('Point of no return', pack.crossedAt),
      ...time('Ended', pack.endedAt),
      ['Duration', formatDuration(pack.durationSeconds * 1000)],
      ...(result === undefined
        ? []
        : ([
            ['Instances upgraded', String(result.instances)],
            ['Gateway sites upgraded', String(result.sites)],
            ...result.warnings.map((warning) => ['Warning', warning]),
          ] as [string, string][])),
      ...Object.entries(pack.switchedOffSeconds).map(([what, seconds]): [string, string] => [
        `Off meanwhile: ${what}`,
        formatDuration(seconds * 1000),
      ]),
      ...pack.switchedOff.map(({ what, since }): [string, string] => [`Off since then: ${what}`, formatTime(since)]),
      ...(pack.operation === undefined ? [] : [['Operation', pack.operation] as [string, string]]),
      ['Workflow', `${pack.workflowId}, run ${pack.runId}, ${pack.historyEvents} events`],
      ['Report of', formatTime(pack.generatedAt)],
    ],
  };
}

function steps(pack: EvidencePack): Section {
  return {
    title: 'Steps',
    table: {
      head: ['Step', 'Procedure', 'State', 'Started', 'Took', 'Result'],
      rows: pack.steps.map((step) => [
        step.title,
        step.procedure,
        step.state,
        step.startedAt === undefined ? '' : formatTime(step.startedAt),
        step.durationSeconds === undefined ? '' : formatDuration(step.durationSeconds * 1000),
        step.note ?? '',
      ]),
    },
  };
}

function versions({ versions: known, inputs }: EvidencePack): Section {
  return {
    title: 'Versions and inputs',
    facts: [
      ['Onward (this report)', known.onward],
      ['Temporal server', known.temporalServer ?? 'not known'],
      ['Worker SDK', known.sdks.join(', ') || 'not known'],
      ['Imported package', known.package ?? 'none'],
      ['Workflow input', JSON.stringify(inputs.workflow)],
      ['SHA-256 of the inventory entry', inputs.profileSha256 ?? 'none'],
    ],
  };
}

const TRAIL_HEAD = ['Time', 'Verdict', 'By', 'What', 'About', 'Detail', 'Said'];

function trailRow(entry: AuditEntry): string[] {
  const said = entry.payload === undefined ? '' : JSON.stringify(entry.payload);
  return [formatTime(entry.at), entry.verdict, entry.by, entry.what, entry.subject ?? '', entry.detail, said];
}

function actionRow(action: Action): string[] {
  const took = action.endedAt === undefined ? '' : Date.parse(action.endedAt) - Date.parse(action.scheduledAt);
  return [
    formatTime(action.scheduledAt),
    took === '' ? '' : formatDuration(took),
    action.outcome,
    String(action.attempts),
    action.summary === undefined ? action.name : `${action.name}: ${action.summary}`,
    action.worker ?? '',
    action.failure ?? '',
  ];
}
