import type { Outcome } from '../outcome.ts';
import { formatNumber, formatShareCell } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import { tenantHeight } from '../plots/tenant-option.ts';
import type { PlotData, PlotRef, TenantPart } from '../plots/plot-data.ts';
import { figureOf, stillOf } from './figure.ts';
import { legendOf } from './legend.ts';
import { sectionOf } from './section.ts';
import { tableOf, timeColumn } from './table.ts';

/** Rows of one run's table: no reader goes through more. */
const MOST_ROWS = 100;

/** What each tenant got. Null unless there were several. */
export function fairnessSection(data: PlotData, outcomes: readonly Outcome[]): Html | null {
  const { tenants } = data;
  if (tenants === null) return null;
  const most = Math.max(...outcomes.map(({ run }) => run?.fairness.tenants.length ?? 0));
  const rest = most - tenants.tenants.length;
  const figures = [
    tenantFigure(data, 'good', 'Share within the objective', {
      caption: 'Marks of one policy that are far apart mean that some tenants pay for others.',
    }),
    tenants.runs.some(({ ttftP90Ms }) => ttftP90Ms.some((ms) => ms !== null && ms > 0))
      ? tenantFigure(data, 'ttft', 'p90 time to first token', {
          caption: 'Further to the left is faster; the axis is logarithmic.',
        })
      : null,
  ];
  return sectionOf({
    id: 'fairness',
    title: 'Tenants',
    lead:
      `A mark per policy in each tenant’s row. Jain’s index is 1 when all tenants got the same,
      1/n when one got everything: of tokens, which follow what tenants ask for, and of the share
      of their answers within the objective.` +
      (rest > 0 ? ` Shown are the ${tenants.tenants.length} busiest of ${most} tenants.` : ''),
    body: html`${legendOf(
        data.lines,
        tenants.runs.map(({ line }) => line),
      )}
      <div class="pair">${figures}</div>
      ${outcomes.map(tenantTable)}`,
  });
}

function tenantFigure(
  data: PlotData,
  part: TenantPart,
  title: string,
  { caption }: { readonly caption: string },
): Html {
  const ref: PlotRef = { kind: 'tenants', part };
  const height = tenantHeight(data.tenants?.tenants.length ?? 1);
  const label = `${title} by tenant and policy`;
  const still = stillOf(data, ref, { width: 560, height, label });
  return figureOf({ ref, title, label, caption, height, still });
}

function tenantTable({ name, run }: Outcome): Html | null {
  if (run === null || run.fairness.tenants.length === 0) return null;
  const tenants = [...run.fairness.tenants].sort((left, right) => right.requests - left.requests);
  const rows = tenants.slice(0, MOST_ROWS);
  const number = { group: '', better: null, format: formatNumber };
  const table = tableOf({
    caption: `Tenants under ${name}`,
    rowHead: 'Tenant',
    rows,
    headOf: ({ tenant }) => tenant,
    columns: [
      { ...number, head: 'requests', read: ({ requests }) => requests },
      { ...number, head: 'output tokens', read: ({ outputTokens }) => outputTokens },
      timeColumn(rows, { head: 'p90 TTFT', read: ({ ttftP90Ms }) => ttftP90Ms }),
      { ...number, head: 'in objective', read: (t) => t.goodShare, format: formatShareCell },
    ],
    isRanked: () => false,
  });
  const { jain, jainOfGoodShare } = run.fairness;
  const indices = `Jain’s index ${formatNumber(jain)} of tokens, ${formatNumber(jainOfGoodShare)} of good shares`;
  const cut =
    tenants.length > rows.length ? `, the ${rows.length} busiest of ${tenants.length}` : '';
  return html`<details>
    <summary>${name}: ${indices}${cut}</summary>
    ${table}
  </details>`;
}
