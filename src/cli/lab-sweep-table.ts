import { followedShare, type SweepPoint, type SweepResult } from '../simulator/lab/sweep.ts';
import { alignColumns } from './lab-table.ts';
import { formatTime } from './lab-text.ts';

const HEAD: readonly string[] = [
  'load',
  'offered/s',
  'followed',
  'output tok/s',
  'TTFT p50',
  'TTFT p99',
  'ITL p99',
  'goodput',
  'queue',
  '',
];

/** One row per load, with the knee marked, and a line that says it in words. */
export function renderSweep(sweep: SweepResult, durationMs: number): readonly string[] {
  const rows = sweep.points.map((point, index) => [
    ...pointCells(point, durationMs),
    markOf(sweep, index),
  ]);
  return [`policy ${sweep.policy}`, ...alignColumns([HEAD, ...rows], 0), describeKnee(sweep)];
}

function pointCells(
  { load, requestsPerSecond, result }: SweepPoint,
  durationMs: number,
): readonly string[] {
  const { throughput, ttftMs, itlMs, goodput, queue } = result;
  return [
    String(load),
    requestsPerSecond.toFixed(2),
    `${(100 * followedShare(result, durationMs)).toFixed(1)} %`,
    Math.round(throughput.outputTokensPerSecond).toLocaleString('en-US'),
    ttftMs.count === 0 ? '-' : formatTime(ttftMs.p50),
    ttftMs.count === 0 ? '-' : formatTime(ttftMs.p99),
    itlMs.count === 0 ? '-' : formatTime(itlMs.p99),
    `${(100 * goodput.goodShare).toFixed(1)} %`,
    queue.meanWaiting.toFixed(1),
  ];
}

function markOf({ kneeIndex, saturatedFrom }: SweepResult, index: number): string {
  if (index === kneeIndex) return '<- knee';
  return saturatedFrom !== null && index >= saturatedFrom ? 'saturated' : '';
}

function describeKnee({ kneeIndex, saturatedFrom, points }: SweepResult): string {
  if (points.length === 0) return 'no load was run to its end';
  const knee = kneeIndex === null ? undefined : points[kneeIndex];
  if (knee !== undefined) {
    return `keeps up to load ${knee.load} (${knee.requestsPerSecond.toFixed(2)} requests/s)`;
  }
  if (saturatedFrom === 0) return 'saturated from the first load on; try a smaller --from';
  return 'keeps up with every load that was tried; try a larger --to';
}
