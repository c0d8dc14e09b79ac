import type { MeasuredReport } from '../../load/measured-report.ts';
import { formatMs, formatNumber } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import type { NamedMeasurement } from '../report-input.ts';
import { sectionOf } from './section.ts';
import { tableOf } from './table.ts';

const MOST_FAILURES = 20;

/** Whether measured loads were offered as planned, and what failed. Null without measured runs. */
export function measuredSection(measured: readonly NamedMeasurement[]): Html | null {
  if (measured.length === 0) return null;
  const number = { group: '', better: null, format: formatNumber };
  const seconds = (value: number | undefined): number | null =>
    value === undefined ? null : value * 1000;
  const table = tableOf({
    caption: 'Measured load',
    rowHead: 'Run',
    rows: measured,
    headOf: ({ name }) => name,
    columns: [
      {
        ...number,
        head: 'planned req/s',
        read: (m) => m.report.load_summary.requested_rate ?? null,
      },
      { ...number, head: 'sent req/s', read: (m) => m.report.load_summary.achieved_rate ?? null },
      {
        ...number,
        head: 'sent late, p99',
        read: (m) => seconds(m.report.load_summary.schedule_delay?.p99),
        format: formatMs,
      },
      { ...number, head: 'answered', read: (m) => m.report.successes.count },
      { ...number, head: 'failed', read: (m) => m.report.failures.count },
    ],
    isRanked: () => false,
  });
  return sectionOf({
    id: 'measured',
    title: 'Measured load',
    lead: `How well the client kept to its plan: requests that were sent late say more about the
      client than about what it measured.`,
    body: html`${table}${measured.map(({ name, report }) => notesOf(name, report))}`,
  });
}

/** Kinds of failures and the client's own warnings; null when there are none. */
function notesOf(name: string, report: MeasuredReport): Html | null {
  const failures = Object.entries(report.failures.by_label)
    .slice(0, MOST_FAILURES)
    .map(([label, group]) => {
      const [first] = group.messages;
      return html`<li>
        ${label}:
        ${formatNumber(group.count)}${first === undefined ? null : html` (${first.message})`}
      </li>`;
    });
  const warnings = (report.penstock?.client?.warnings ?? []).map((text) => html`<li>${text}</li>`);
  if (failures.length + warnings.length === 0) return null;
  return html`<h3>${name}: failures and warnings</h3>
    <ul>
      ${failures}${warnings}
    </ul>`;
}
