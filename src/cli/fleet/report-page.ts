/**
 * The report of a fleet as one page that needs nothing else: no script, no font, no picture from elsewhere, and a policy that
 * would not let it load any.
 */
import type { FleetProviderState } from '../../contract/fleet';
import type { Section } from '../kit/documents/document';
import { html, htmlBody, htmlSection } from '../kit/documents/html';
import { countsText, FLEET_WORDS, fleetEndedFromOutside, SHOWN_STATES, STATE_LOOKS, totalOf } from './provider-states';
import type { FleetReport } from './report';
import {
  closingSections,
  failuresSection,
  notUpgradedSection,
  providersSection,
  summarySection,
  timingsSection,
  wavesSection,
} from './report-document';
import { stateClass, wavesTimeline, waveTimeline } from './timeline';

/** Fill colours, light and dark page: told apart by people who see no red or green, too, and never the only sign. */
const FILLS: Record<FleetProviderState, [light: string, dark: string]> = {
  completed: ['#1a7f5a', '#3fb68b'],
  running: ['#2f6fd0', '#6ea8ff'],
  parked: ['#c98a00', '#e3b341'],
  held: ['#d9480f', '#ff8a4c'],
  failed: ['#b01030', '#ff6b81'],
  unreachable: ['#7b3fa0', '#c79be8'],
  skipped: ['#7a828c', '#9aa4b0'],
  pending: ['#d5dae0', '#3a424c'],
};

const fillRules = (which: 0 | 1): string =>
  SHOWN_STATES.map((state) => `.${stateClass(state)}{fill:${FILLS[state][which]}}`).join('');

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5a6573;--line:#d9dee5;--ground:#fff;--card:#f6f8fa}
${fillRules(0)}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9f0;--soft:#a2adbb;--line:#38414d;--ground:#12161c;--card:#1b2129}
${fillRules(1)}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1180px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:26px;line-height:1.2;margin:0}
h2{font-size:18px;margin:40px 0 10px}
h3{font-size:15px;margin:22px 0 6px}
.state{color:var(--soft);margin:4px 0 18px}
.share{display:block;width:100%;height:18px;border-radius:4px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:10px 0 0;padding:0;font-size:13px}
.legend svg{width:14px;height:12px;margin-right:6px;vertical-align:-1px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
.scroll:focus-visible,summary:focus-visible{outline:2px solid #2f6fd0;outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:13.5px;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}
tbody th{font-weight:600;white-space:nowrap}
summary{cursor:pointer;font-weight:600;padding:8px 0}
.scroll>svg{display:block;width:100%;min-width:860px;height:auto;background:var(--card);border-radius:6px}
.grid{stroke:var(--line);stroke-width:1;fill:none}
.axis text{font-size:10.5px;fill:var(--soft)}
.name{font-size:10.5px;fill:var(--ink)}
svg .note{font-size:10.5px;font-weight:600;fill:var(--ink)}
svg .inside{fill:#fff}
p.note{color:var(--soft);font-size:13px;margin:6px 0}
.crossing{stroke:var(--ink);stroke-width:2;fill:none}
.thin{stroke-width:1}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
@media print{details>*{display:block}.scroll{overflow:visible}}
`;

export function reportPage(report: FleetReport): string {
  const { fleet, counts, waves } = report;
  const state = fleetEndedFromOutside(report.execution, report) ?? FLEET_WORDS[report.state];
  const title = `Fleet ${fleet}: ${state}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${html(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header><h1>Fleet ${html(fleet)}</h1><p class="state">${html(state)}</p>
${shareOf(counts)}
${legend(counts)}</header>
${htmlSection(summarySection(report), 'summary')}
${htmlSection(wavesSection(report), 'waves')}
${htmlSection(failuresSection(report), 'failures')}
<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>
<p class="note">One bar for each provider that was started, in the order of their starts; times in UTC. The line across a bar is its point of no return. Marks at the right edge of a dense picture show where providers are that did not complete.</p>
${wavesTimeline(report)}
${waves.map(({ wave, counts: inWave }) => `<h3>Wave ${wave}: ${html(countsText(inWave))}</h3>\n${waveTimeline(report, wave)}`).join('\n')}
</section>
${htmlSection(timingsSection(report), 'timings')}
<section aria-labelledby="providers"><h2 id="providers">Providers</h2>
${details(notUpgradedSection(report), MOST_ROWS)}
${waves.map(({ wave }) => providerDetails(report, wave)).join('\n')}
</section>
${closingSections(report)
  .map((section, index) => htmlSection(section, `closing-${index + 1}`))
  .join('\n')}
</main>
</body>
</html>
`;
}

function shareOf(counts: FleetReport['counts']): string {
  const total = Math.max(1, totalOf(counts));
  let from = 0;
  const parts = SHOWN_STATES.map((state) => {
    const width = (counts[state] / total) * 1000;
    const part = `<rect class="${stateClass(state)}" x="${from.toFixed(1)}" width="${width.toFixed(1)}" height="18"/>`;
    from += width;
    return width === 0 ? '' : part;
  });
  return `<svg class="share" viewBox="0 0 1000 18" preserveAspectRatio="none" role="img" aria-label="${html(countsText(counts))}">${parts.join('')}</svg>`;
}

function legend(counts: FleetReport['counts']): string {
  const items = SHOWN_STATES.filter((state) => counts[state] > 0).map(
    (state) =>
      `<li><svg viewBox="0 0 14 12" aria-hidden="true"><rect class="${stateClass(state)}" width="14" height="12" rx="2"/></svg>${counts[state]} ${html(STATE_LOOKS[state].word)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}

/** Rows of a page that a browser still opens at once; beyond them those that did not complete come first. */
const MOST_ROWS = 6000;
/** Waves up to this size are open from the beginning. */
const SHORT = 30;

function providerDetails(report: FleetReport, wave: number): string {
  const { providers } = report;
  const share = providers.filter((each) => each.wave === wave).length / providers.length;
  return details(providersSection(report, wave), Math.ceil(share * MOST_ROWS));
}

function details(whole: Section, most: number): string {
  const { section, left } = cutTo(whole, most);
  const rows = section.table?.rows.length ?? 0;
  const note = left === 0 ? '' : `<p class="note">${left} more are in the JSON report only.</p>`;
  return `<details${rows <= SHORT ? ' open' : ''}><summary>${html(section.title)} (${rows + left})</summary>${htmlBody(section)}${note}</details>`;
}

function cutTo(section: Section, most: number): { section: Section; left: number } {
  const { table } = section;
  if (table === undefined || table.rows.length <= most) return { section, left: 0 };
  const completed = STATE_LOOKS.completed.word;
  const [telling, others] = [true, false].map((tells) =>
    table.rows.filter(([, , state]) => (state !== completed) === tells),
  ) as [string[][], string[][]];
  const rows = [...telling, ...others].slice(0, most);
  return { section: { ...section, table: { ...table, rows } }, left: table.rows.length - rows.length };
}
