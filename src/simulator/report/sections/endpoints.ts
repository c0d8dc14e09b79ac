import type { EndpointResult } from '../../lab/results.ts';
import type { Outcome } from '../outcome.ts';
import { formatNumber, formatShareCell } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import { sectionOf } from './section.ts';
import { tableOf, type NumberColumn } from './table.ts';

/** What each endpoint did, a table per run that opens. Null without simulated runs. */
export function endpointsSection(outcomes: readonly Outcome[]): Html | null {
  const simulated = outcomes.filter(({ run }) => run !== null && run.endpoints.length > 0);
  if (simulated.length === 0) return null;
  return sectionOf({
    id: 'endpoints',
    title: 'Endpoints in figures',
    lead: 'Over the whole run, warm-up included. Busy is the share of time in which a step ran.',
    body: simulated.map((outcome, index) => endpointTable(outcome, index === 0)),
  });
}

function endpointTable({ name, run }: Outcome, isOpen: boolean): Html {
  const rows = run?.endpoints ?? [];
  const hasSlept = rows.some(({ asleepShare }) => asleepShare > 0);
  const hasAdapters = rows.some(({ adapterLoads }) => adapterLoads > 0);
  const table = tableOf({
    caption: `Endpoints under ${name}`,
    rowHead: 'Endpoint',
    rows,
    headOf: (row) => html`${row.name} <span class="fine">${row.profile}</span>`,
    columns: [...COLUMNS, ...(hasSlept ? [ASLEEP] : []), ...(hasAdapters ? [ADAPTER_LOADS] : [])],
    isRanked: () => false,
  });
  // A long table would push everything below it away.
  const open = isOpen && rows.length <= 16 ? html` open` : null;
  return html`<details${open}><summary>${name}: ${rows.length === 1 ? 'one endpoint' : `${rows.length} endpoints`}</summary>${table}</details>`;
}

type Column = NumberColumn<EndpointResult>;

const NUMBER = { group: '', better: null, format: formatNumber } as const;
const SHARE = { group: '', better: null, format: formatShareCell } as const;

const COLUMNS: readonly Column[] = [
  { ...NUMBER, head: 'requests', read: ({ requests }) => requests },
  { ...NUMBER, head: 'output tokens', read: ({ outputTokens }) => outputTokens },
  { ...SHARE, head: 'busy', read: ({ busyShare }) => busyShare },
  { ...SHARE, head: 'mean KV use', read: ({ meanKvUsage }) => meanKvUsage },
  { ...NUMBER, head: 'most waiting', read: ({ maxWaiting }) => maxWaiting },
  { ...SHARE, head: 'prefix hits', read: ({ prefixHitShare }) => prefixHitShare },
  { ...NUMBER, head: 'preemptions', read: ({ preemptions }) => preemptions },
];

const ASLEEP: Column = { ...SHARE, head: 'asleep', read: ({ asleepShare }) => asleepShare };

const ADAPTER_LOADS: Column = {
  ...NUMBER,
  head: 'adapter loads',
  read: ({ adapterLoads }) => adapterLoads,
};
