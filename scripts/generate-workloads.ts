// Writes the tables of docs/workloads.md from src/simulator/workloads/parameters.ts, between their
// marks; with `--check` only compares.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as sheets from '../src/simulator/workloads/parameters.ts';
import type { Parameter, Setting, WorkloadSheet } from '../src/simulator/workloads/sheet.ts';
import type { SizeSpec } from '../src/simulator/workloads/sizes.ts';
import type { GoodputObjective } from '../src/simulator/workloads/types.ts';
import { WORKLOADS } from '../src/simulator/workloads/workloads.ts';

const PAGE = path.resolve(import.meta.dirname, '..', 'docs', 'workloads.md');
const BEGIN = '<!-- generated from the code: begin -->';
const END = '<!-- generated from the code: end -->';

function tables(): string {
  const listed = WORKLOADS.map((workload) => {
    const sheet = Object.values(sheets).find(({ name }) => name === workload.name);
    if (sheet === undefined) throw new Error(`${workload.name} has no sheet of parameters`);
    return { workload, sheet };
  });
  const rows = listed.map(({ workload, sheet }) => {
    const { profile, replicas, durationMs } = workload.defaults;
    const good = objective(sheet.parameters.objective.value);
    const minutes = durationMs / 60_000;
    const fleet = `${replicas} × \`${profile}\``;
    return `| \`${workload.name}\` | ${fleet} | ${workload.loadUnit} | ${minutes.toFixed(1)} | ${good} |`;
  });
  const head = [
    '| Workload | Fleet | A load of 1 | Minutes | A good answer |',
    '|---|---|---|---|---|',
  ];
  return [...head, ...rows, '', ...listed.map(({ sheet }) => section(sheet))].join('\n');
}

function section({ name, summary, parameters }: WorkloadSheet<Setting>): string {
  const rows = Object.entries<Parameter<unknown>>(parameters).map(
    ([key, { value, reason }]) => `| \`${key}\` | ${show(key, value)} | ${reason} |`,
  );
  const head = ['| Parameter | Value | Why |', '|---|---|---|'];
  return [`### \`${name}\``, '', summary, '', ...head, ...rows, ''].join('\n');
}

function show(key: string, value: unknown): string {
  if (key === 'objective') return objective(value as GoodputObjective);
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return `\`${value}\``;
  if (isSize(value)) return size(value);
  const parts = Object.entries(value as Record<string, unknown>);
  return parts
    .filter(([name]) => name !== 'kind')
    .map(([name, part]) => `\`${name}\` ${show(name, part)}`)
    .join('; ');
}

function isSize(value: unknown): value is SizeSpec {
  return typeof value === 'object' && value !== null && 'mean' in value && 'max' in value;
}

function size({ mean, min, max }: SizeSpec): string {
  if (min === max) return number(mean);
  const from = min > 1 ? `from ${number(min)}, ` : '';
  return `mean ${number(mean)}, ${from}at most ${number(max)}`;
}

function objective({ ttftMs, tpotMs, e2eMs }: GoodputObjective): string {
  const parts = [
    ttftMs === null ? null : `TTFT ${seconds(ttftMs)}`,
    tpotMs === null ? null : `TPOT ${tpotMs} ms`,
    e2eMs === null ? null : `whole ${seconds(e2eMs)}`,
  ];
  return parts.filter((part) => part !== null).join(', ') || 'any';
}

function seconds(ms: number): string {
  return `${number(ms / 1000)} s`;
}

function number(value: number): string {
  return value.toLocaleString('en-US');
}

function main(): void {
  const page = readFileSync(PAGE, 'utf8');
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error('workloads.md lacks the marks of its tables');
  const wanted = `${page.slice(0, begin + BEGIN.length)}\n\n${tables()}\n${page.slice(end)}`;
  if (wanted === page) return;
  if (process.argv.includes('--check')) {
    console.error('docs/workloads.md is not what the code gives');
    process.exitCode = 1;
  } else writeFileSync(PAGE, wanted);
}

main();
