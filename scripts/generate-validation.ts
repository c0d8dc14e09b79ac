// Writes the tables of docs/validation.md between their marks: what is computed, and what is
// measured on this machine with real processes. `--no-measure` keeps what was measured, `--check`
// compares what is computed with the page. Fails when a row is out of its tolerance.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
  closedFormPart,
  publishedPart,
  renderRows,
  throughputPart,
} from '../src/simulator/validation/page.ts';
import {
  compareScene,
  simulateScene,
  type RealScene,
} from '../src/simulator/validation/real-scene.ts';
import { describeRow, isWithin, type ValidationRow } from '../src/simulator/validation/row.ts';
import { measureScene } from './validation/real-fleet.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const FILE = path.join(ROOT, 'docs', 'validation.md');
const TRACE_TEST = 'src/simulator/lab/world-trace.test.ts';

const SCENES: readonly RealScene[] = [
  { policy: 'round-robin', seed: 1, durationMs: 45_000, warmUpMs: 5000 },
  { policy: 'soonest', seed: 1, durationMs: 45_000, warmUpMs: 5000 },
];

/** A part of the page that this script writes. */
type Part = 'closed form' | 'real engines' | 'published routing' | 'published throughput' | 'speed';

const isCheck = process.argv.includes('--check');
const isMeasuring = !isCheck && !process.argv.includes('--no-measure');
const before = readFileSync(FILE, 'utf8');
const failed: ValidationRow[] = [];
let page = before;

/** Puts text between the marks of a part. */
function replacePart(part: Part, text: string): void {
  const begin = `<!-- ${part}: begin -->`;
  const end = `<!-- ${part}: end -->`;
  const from = page.indexOf(begin) + begin.length;
  page = `${page.slice(0, from)}\n${text}${page.slice(page.indexOf(end))}`;
}

function judge(rows: readonly ValidationRow[]): void {
  failed.push(...rows.filter((row) => !isWithin(row)));
}

function writeComputed(): void {
  const closed = closedFormPart();
  replacePart('closed form', closed.text);
  judge(closed.rows);
  const throughput = throughputPart();
  replacePart('published throughput', throughput.text);
  judge(throughput.rows);
  const startedAt = process.cpuUsage();
  const published = publishedPart();
  const used = process.cpuUsage(startedAt);
  replacePart('published routing', published.text);
  judge(published.rows);
  if (isMeasuring) writeSpeed(published.outputTokens, (used.user + used.system) / 1e6);
}

function writeSpeed(outputTokens: number, cpuSeconds: number): void {
  const golden = /GOLDEN = '([0-9a-f]{64})'/.exec(
    readFileSync(path.join(ROOT, TRACE_TEST), 'utf8'),
  );
  const million = (outputTokens / 1e6).toFixed(0);
  const perSecond = (outputTokens / cpuSeconds / 1e6).toFixed(1);
  const text = [
    `- One seed gives one trace, byte for byte: \`${TRACE_TEST}\` holds the SHA-256 of one with`,
    `  restarts, a slow endpoint and a drain, \`${golden?.[1]?.slice(0, 16) ?? ''}…\`, and fails on any other.`,
    `- The published routing above is ${million} million output tokens, which took ${cpuSeconds.toFixed(0)} s of CPU:`,
    `  ${perSecond} million a second on one core. \`npm run bench -- lab\` measures more.`,
    '',
  ];
  replacePart('speed', text.join('\n'));
}

async function writeMeasured(): Promise<void> {
  const rows: ValidationRow[] = [];
  for (const scene of SCENES) {
    process.stderr.write(`real engines behind ${scene.policy}: ${scene.durationMs / 1000} s\n`);
    const report = await measureScene(scene);
    rows.push(...compareScene(scene, report, simulateScene(scene)));
  }
  replacePart('real engines', renderRows(rows, 'Measured'));
  judge(rows);
}

if (isMeasuring) await writeMeasured();
writeComputed();
for (const row of failed) process.stderr.write(`out of tolerance: ${describeRow(row)}\n`);
if (failed.length > 0) process.exitCode = 1;
if (!isCheck) {
  writeFileSync(FILE, page);
} else if (page !== before) {
  process.stderr.write('docs/validation.md does not match the code\n');
  process.exitCode = 1;
}
