import type { ObjectiveTerm } from '../../lab/sizing-objective.ts';
import { describeTerm, type SizingProbe, type SizingResult } from '../../lab/sizing.ts';
import { formatMs, formatNumber, formatShare, formatShareCell } from '../page/format.ts';
import { html, type Html } from '../page/html.ts';
import { sectionOf } from './section.ts';
import { tableOf, type NumberColumn } from './table.ts';

/** What each profile needs to meet the objective, and what was tried. Null without a search. */
export function sizingSection(sizes: readonly SizingResult[]): Html | null {
  if (sizes.length === 0) return null;
  const terms = sizes[0]?.objective ?? [];
  const bounds = terms.map((term) => `${describeTerm(term)} ${boundOf(term)}`).join(', ');
  const table = tableOf({
    caption: 'Smallest fleets',
    rowHead: 'Profile',
    rows: sizes,
    headOf: ({ profile }) => profile,
    columns: [...fleetColumns(), ...terms.map(sizeTermColumn)],
    isRanked: ({ replicas }) => replicas !== null,
  });
  return sectionOf({
    id: 'sizing',
    title: 'Smallest fleets',
    lead: `The fewest replicas of each profile that meet ${bounds} with every seed. Values are those
      of the worst seed; headroom is what the tightest bound has left.`,
    body: html`${table}${notesOf(sizes)}${sizes.map(probesOf)}`,
  });
}

/** The answer in words; empty when there is none. */
export function sizingSentences(sizes: readonly SizingResult[]): readonly string[] {
  const found = sizes.filter(({ replicas }) => replicas !== null);
  if (sizes.length === 0) return [];
  if (found.length === 0) return ['No fleet that was tried meets the objective.'];
  const priced = found.filter(({ hourlyUsd }) => hourlyUsd !== null);
  const [least] = [...priced].sort((a, b) => (a.hourlyUsd ?? 0) - (b.hourlyUsd ?? 0));
  const fleets = found.map(({ profile, replicas }) => `${replicas ?? 0} × ${profile}`);
  const sentences = [`The objective is met by ${fleets.join(', or ')}.`];
  const isComparable = found.length > 1 && priced.length === found.length;
  if (!isComparable || least === undefined) return sentences;
  const price = (least.hourlyUsd ?? 0).toFixed(2);
  return [...sentences, `The cheapest is ${least.profile} at $${price} an hour.`];
}

function boundOf(term: ObjectiveTerm): string {
  return term.kind === 'goodput'
    ? `at least ${formatShare(term.minShare)}`
    : `at most ${formatMs(term.limitMs)}`;
}

function fleetColumns(): readonly NumberColumn<SizingResult>[] {
  const number = { group: '', better: null, format: formatNumber };
  return [
    { ...number, head: 'replicas', read: ({ replicas }) => replicas },
    { ...number, head: 'accelerators', read: ({ accelerators }) => accelerators },
    {
      ...number,
      head: '$/hour',
      read: ({ hourlyUsd }) => hourlyUsd,
      better: 'lower',
      format: (dollars) => dollars.toFixed(2),
    },
    { ...number, head: 'headroom', read: ({ headroom }) => headroom, format: formatShareCell },
  ];
}

function sizeTermColumn(term: ObjectiveTerm, index: number): NumberColumn<SizingResult> {
  const column = probeTermColumn(term, index);
  const foundOf = ({ replicas, probes }: SizingResult): SizingProbe | undefined =>
    probes.find((probe) => probe.replicas === replicas);
  return {
    ...column,
    read: (size) => {
      const found = foundOf(size);
      return found === undefined ? null : column.read(found);
    },
  };
}

function probeTermColumn(term: ObjectiveTerm, index: number): NumberColumn<SizingProbe> {
  return {
    group: '',
    head: describeTerm(term),
    read: ({ verdict }) => verdict.terms[index]?.worst ?? null,
    better: null,
    format: term.kind === 'goodput' ? formatShareCell : formatMs,
  };
}

/** Why a profile has no answer, or one that needs a remark; null when none does. */
function notesOf(sizes: readonly SizingResult[]): Html | null {
  const notes = sizes.flatMap(({ profile, reason, isMonotone, replicas }) => {
    if (reason !== null) return [html`<li><b>${profile}</b>: ${reason}</li>`];
    if (isMonotone || replicas === null) return [];
    return [
      html`<li>
        <b>${profile}</b>: more replicas did not always do better; ${replicas} is the first count
        that holds with one more as well
      </li>`,
    ];
  });
  return notes.length === 0
    ? null
    : html`<ul>
        ${notes}
      </ul>`;
}

/** The counts that were tried, folded away; null when none was. */
function probesOf({ profile, objective, probes }: SizingResult): Html | null {
  if (probes.length === 0) return null;
  const rows = [...probes].sort((left, right) => left.replicas - right.replicas);
  return html`<details>
    <summary>${profile}: counts that were tried</summary>
    ${tableOf({
      caption: `Counts of ${profile} that were tried`,
      rowHead: 'Replicas',
      rows,
      headOf: ({ replicas, verdict }) =>
        html`${replicas} <span class="tag">${wordOf(verdict)}</span>`,
      columns: objective.map(probeTermColumn),
      isRanked: () => false,
    })}
  </details>`;
}

function wordOf({ meets, isSaturated }: SizingProbe['verdict']): string {
  if (meets) return 'meets';
  return isSaturated ? 'saturated' : 'misses';
}
