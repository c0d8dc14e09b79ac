import type { Outcome } from '../outcome.ts';
import { html, type Html } from '../page/html.ts';
import type { ReportInput } from '../report-input.ts';
import { summaryCards, verdictSentences } from '../summary.ts';
import { statusWords } from './comparison.ts';
import { sizingSentences } from './sizing.ts';

/** Title and what was run. */
export function openingOf({ title, subtitle, settings }: ReportInput): Html {
  const pairs = settings.map(
    ([name, value]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${typeset(value)}</dd>
      </div>`,
  );
  return html`<header>
    <h1>${title}</h1>
    ${subtitle === '' ? null : html`<p class="subtitle">${subtitle}</p>`}
    ${pairs.length === 0 ? null : html`<dl class="settings">${pairs}</dl>`}
  </header>`;
}

/** What a terminal shows with letters only, as print has it; a bound and its unit stay together. */
function typeset(text: string): string {
  return text
    .replaceAll(/(\d) x (?=[a-z])/g, '$1\u00a0× ')
    .replaceAll(/ <= ([\d.,]+) (\S+)/g, '\u00a0≤\u00a0$1\u00a0$2');
}

/** What to know before trusting the figures: runs that did not finish. Null when all did. */
export function bannerOf(outcomes: readonly Outcome[]): Html | null {
  const odd = outcomes.filter(({ status }) => status !== 'finished');
  if (odd.length === 0) return null;
  const items = odd.map(({ name, status, run }) => {
    const reason = run?.reason ?? null;
    return html`<li>
      <b>${name}</b>: ${statusWords(status)}${reason === null ? null : html` (${reason})`}
    </li>`;
  });
  const isCut = odd.some(({ status }) => status === 'interrupted' || status === 'out_of_time');
  const cut = isCut ? ' Runs that were cut short are not ranked when others finished.' : '';
  const open = odd.some(({ status }) => status === 'saturated')
    ? ' Latencies of a saturated run grow with its length: its figures show that it is saturated, not how slow it is.'
    : '';
  return html`<div class="banner" role="note">
    <p>Not every run finished.${open}${cut}</p>
    <ul>
      ${items}
    </ul>
  </div>`;
}

/** What came out, in words and in the figures that stand out. Null when nothing was run. */
export function summarySection(outcomes: readonly Outcome[], input: ReportInput): Html | null {
  const sentences = [...sizingSentences(input.sizes), ...verdictSentences(outcomes, input.sweeps)];
  const cards = summaryCards(outcomes).map(
    ({ label, value, note }) =>
      html`<div class="card">
        <p class="label">${label}</p>
        <p class="value">${value}</p>
        <p class="note">${note}</p>
      </div>`,
  );
  if (sentences.length + cards.length === 0) return null;
  return html`<section id="summary" aria-label="Summary">
    <p class="verdict">${sentences.join(' ')}</p>
    ${cards.length === 0 ? null : html`<div class="cards">${cards}</div>`}
  </section>`;
}

/** What the terms mean, for readers who do not work on serving. */
export function glossaryOf(): Html {
  const terms = TERMS.map(
    ([term, meaning]) =>
      html`<dt>${term}</dt>
        <dd>${meaning}</dd>`,
  );
  return html`<footer>
    <details>
      <summary>What the terms mean</summary>
      <dl class="terms">${terms}</dl>
    </details>
    <p class="fine">
      Made by Penstock. Simulated runs come from a model of the engines in virtual time; measured
      runs from real requests.
    </p>
  </footer>`;
}

const TERMS: readonly (readonly [string, string])[] = [
  ['TTFT', 'Time to first token: from sending a request to the first token of its answer.'],
  ['TPOT', 'Time per output token: the mean gap between the tokens of one answer.'],
  ['ITL', 'Inter-token latency: every single gap between two tokens, over all answers.'],
  ['Goodput', 'Requests that were answered within all limits of the objective.'],
  ['p90', 'Nine of ten requests were at least this fast.'],
  ['KV cache', 'Memory of an engine for the tokens under way; when it is full, requests wait.'],
  [
    'Prefix hits',
    'Prompt tokens that an engine still had from earlier prompts and did not compute.',
  ],
  ['Preemption', 'A request that lost its memory and had to be computed again.'],
  ['CV', 'Coefficient of variation over endpoints: 0 when all got the same.'],
];
