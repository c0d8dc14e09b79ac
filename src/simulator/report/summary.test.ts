import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunResult } from '../lab/results.ts';
import { outcomesOfMeasurements, outcomesOfRuns } from './outcome.ts';
import { summaryCards, verdictSentences } from './summary.ts';
import { sketchMeasurement, sketchRun, sketchSweep } from './testing/report-inputs.ts';

/** A run with these shares and times. */
function run(policy: string, goodShare: number, ttftP90Ms: number, tokens = 1000): RunResult {
  const sketch = sketchRun({ policy, endpoints: 1, samples: 1 });
  return {
    ...sketch,
    goodput: { ...sketch.goodput, goodShare },
    ttftMs: { ...sketch.ttftMs, p90: ttftP90Ms },
    throughput: { ...sketch.throughput, outputTokensPerSecond: tokens },
  };
}

/** Without the spaces that do not break. */
function verdict(runs: readonly RunResult[]): string {
  return verdictSentences(outcomesOfRuns(runs), []).join(' ').replaceAll('\u00a0', ' ');
}

test('the best policy is compared with the next one', () => {
  assert.equal(
    verdict([run('least-request', 0.78, 1900), run('soonest', 0.92, 410)]),
    'soonest answers 92 % of requests within the objective, 14 points more than least-request. ' +
      'soonest has the lowest p90 TTFT: 0.41 s against 1.9 s for least-request.',
  );
});

test('with several others the next best is named as such', () => {
  const text = verdict([run('a', 0.9, 500), run('b', 0.89, 600), run('c', 0.2, 9000)]);
  assert.match(text, /^a answers 90 % .*, 1 point more than b, the next best \(89 %\)\./);
});

test('what differs by less than a change of seed is called equal', () => {
  const text = verdict([run('a', 0.901, 500), run('b', 0.9, 500), run('c', 0.5, 700)]);
  assert.match(text, /^a and b answer at least 90 % .*, 40.1 points more than c\./);
  assert.match(text, /p90 TTFT is 500 ms for a and 500 ms for b\./);
  const all = verdict([run('a', 0.9, 500), run('b', 0.9, 500)]);
  assert.match(all, /no difference that counts/);
});

test('another policy’s better latency or throughput is not kept quiet', () => {
  const text = verdict([run('a', 0.9, 500, 1000), run('b', 0.8, 100, 1500)]);
  assert.match(text, /b has the lowest p90 TTFT: 100 ms against 500 ms for a\./);
  assert.match(text, /b gives the most output: 1,500 tokens\/s against 1,000\./);
});

test('seeds of one policy are averaged', () => {
  const runs = [
    { ...run('a', 0.9, 500), seed: 1 },
    { ...run('a', 0.7, 700), seed: 2 },
    { ...run('b', 0.75, 100), seed: 1 },
    { ...run('b', 0.75, 100), seed: 2 },
  ];
  assert.match(verdict(runs), /^a answers 80 % .*, 5 points more than b\./);
  assert.deepEqual(
    outcomesOfRuns(runs).map(({ name }) => name),
    ['a (seed 1)', 'a (seed 2)', 'b (seed 1)', 'b (seed 2)'],
  );
});

test('without an objective the latency speaks', () => {
  const none = { ttftMs: null, tpotMs: null, e2eMs: null };
  const strip = (r: RunResult): RunResult => ({ ...r, goodput: { ...r.goodput, objective: none } });
  const text = verdict([strip(run('a', 0, 500)), strip(run('b', 0, 900))]);
  assert.equal(text, 'a has the lowest p90 TTFT: 500 ms against 900 ms for b.');
  assert.ok(!text.includes('objective'));
});

test('sweeps say how far each policy goes, the farthest first', () => {
  const sweeps = [
    sketchSweep('b', 16),
    sketchSweep('a', 24),
    sketchSweep('c', 99),
    sketchSweep('d', 2),
  ];
  const last = { ...sketchSweep('d', 2), saturatedFrom: 0, kneeIndex: null };
  const [text = ''] = verdictSentences([], [...sweeps.slice(0, 3), last]);
  assert.equal(
    text,
    'Under rising load (interactive-chat): c keeps up at every load tried, up to 32 requests/s; ' +
      'a keeps up until 24 requests/s; b keeps up until 16 requests/s; ' +
      'd is saturated at the lowest load tried.',
  );
});

test('cards name the best and the next; measured runs only speak when they are alone', () => {
  const simulated = outcomesOfRuns([run('a', 0.9, 500), run('b', 0.8, 100)]);
  const measured = outcomesOfMeasurements([{ name: 'm', report: sketchMeasurement() }], simulated);
  const cards = summaryCards([...simulated, ...measured]);
  assert.equal(cards[0]?.note.replaceAll('\u00a0', ' '), 'a; next: b, 80 %');
  assert.equal(cards[1]?.note.replaceAll('\u00a0', ' '), 'b; next: a, 500 ms');
  assert.equal(summaryCards(measured)[0]?.value, '91.2\u00a0%');
  assert.deepEqual(summaryCards([]), []);
});

test('measured runs are in milliseconds and keep names apart', () => {
  const simulated = outcomesOfRuns([sketchRun({ policy: 'x' }), sketchRun({ policy: 'x' })]);
  assert.deepEqual(
    simulated.map(({ name }) => name),
    ['x', 'x (2)'],
  );
  const [first] = outcomesOfMeasurements(
    [{ name: 'x', report: sketchMeasurement(0.25) }],
    simulated,
  );
  assert.equal(first?.name, 'x (measured)');
  assert.equal(first?.latencies.ttft.p50, 250);
  assert.deepEqual(
    first?.latencies.ttft.curve.find(([, percent]) => percent === 50),
    [250, 50],
  );
  const percents = first?.latencies.ttft.curve.map(([, percent]) => percent);
  assert.deepEqual(percents, [0, 5, 10, 25, 50, 75, 90, 95, 99, 100]);
});
