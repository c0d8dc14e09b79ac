// Writes the tables of docs/profiles.md from the code, between their marks; with `--check` only
// compares.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ACCELERATORS } from '../src/simulator/hardware/accelerators.ts';
import { kvBytesOf } from '../src/simulator/hardware/model-shape.ts';
import { MODEL_SHAPES } from '../src/simulator/hardware/models.ts';
import { ENGINE_PROFILES, type EngineProfile } from '../src/simulator/hardware/profiles.ts';
import {
  PUBLISHED_THROUGHPUT,
  simulateThroughput,
} from '../src/simulator/hardware/published-throughput.ts';
import { startUpMs } from '../src/simulator/hardware/start-up.ts';
import { stepDurationMs } from '../src/simulator/engine/step-time.ts';

const FILE = path.resolve(import.meta.dirname, '..', 'docs', 'profiles.md');
const BEGIN = '<!-- generated from the code: begin -->';
const END = '<!-- generated from the code: end -->';
const GIB = 2 ** 30;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''].join('\n');
}

function number(value: number, digits = 0): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function names({ name, aliases }: EngineProfile): string {
  return [name, ...aliases].map((each) => `\`${each}\``).join(', ');
}

/** Step times as somebody would measure them: a prompt alone, and 1 and 64 streams. */
function speeds(profile: EngineProfile): readonly string[] {
  const { costs } = profile;
  const window = costs.windowTokens;
  const decodeMs = (sequences: number): number =>
    stepDurationMs(costs, {
      prefillTokens: 0,
      prefillContextPairs: 0,
      prefillWindowPairs: 0,
      prefillContextTokens: 0,
      decodeSequences: sequences,
      decodeContextTokens: sequences * 1000,
      decodeWindowTokens: sequences * Math.min(window, 1000),
    });
  const prefillMs = stepDurationMs(costs, {
    prefillTokens: 1000,
    prefillContextPairs: 500_000,
    prefillWindowPairs: window * Math.max(0, 1000 - window / 2),
    prefillContextTokens: 1000,
    decodeSequences: 0,
    decodeContextTokens: 0,
    decodeWindowTokens: 0,
  });
  return [number(prefillMs), number(decodeMs(1), 1), number(decodeMs(64), 1)];
}

function speedTable(): string {
  return table(
    ['Profile', 'What', '1,000-token prompt', '1 stream', '64 streams', 'USD an hour'],
    ENGINE_PROFILES.map((profile) => [
      names(profile),
      profile.summary,
      ...speeds(profile),
      profile.hourlyUsd === null ? '' : number(profile.hourlyUsd, 2),
    ]),
  );
}

function sizeTable(): string {
  return table(
    ['Profile', 'Weights', 'KV cache', 'Longest', 'Sequences', 'Tokens a step'],
    ENGINE_PROFILES.map((profile) => [
      `\`${profile.name}\``,
      `${number(profile.weightBytes / GIB, 1)} GiB`,
      `${number(profile.kvBlocks * profile.blockSizeTokens)} tokens`,
      number(profile.maxModelLenTokens),
      number(profile.maxNumSeqs),
      number(profile.maxNumBatchedTokens),
    ]),
  );
}

function startTable(): string {
  const cold = { node: false, image: false, weights: false, compile: false };
  const warm = { node: true, image: true, weights: true, compile: true };
  const seconds = (ms: number): string => `${number(ms / 1000, ms < 10_000 ? 1 : 0)} s`;
  return table(
    ['Profile', 'From nothing', 'All cached', 'Wake 1', 'Wake 2', 'Adapter load', 'Activation'],
    ENGINE_PROFILES.map((profile) => [
      `\`${profile.name}\``,
      seconds(startUpMs(profile, { cached: cold })),
      seconds(startUpMs(profile, { cached: warm })),
      seconds(profile.wakeMs),
      seconds(profile.deepWakeMs),
      `${number(profile.adapterLoadMs)} ms`,
      `${number(profile.adapterActivateMs)} ms`,
    ]),
  );
}

function acceleratorTable(): string {
  const tera = (flops: number | null): string => (flops === null ? '' : number(flops / 1e12));
  return table(
    ['Name', 'bf16 TFLOPS', 'fp8', 'fp4', 'Memory TB/s', 'GiB', 'Link GB/s', 'USD an hour'],
    ACCELERATORS.map((each) => [
      `\`${each.name}\``,
      tera(each.bf16Flops),
      tera(each.fp8Flops),
      tera(each.fp4Flops),
      number(each.memoryBytesPerSecond / 1e12, 2),
      number(each.memoryBytes / GIB, 1),
      number(each.linkBytesPerSecond / 1e9, 1),
      number(each.hourlyUsd, 2),
    ]),
  );
}

function modelTable(): string {
  return table(
    ['Model', 'Parameters', 'Active', 'KV a token', 'Layers', 'Heads', 'KV heads'],
    MODEL_SHAPES.map((shape) => {
      const kv = kvBytesOf(shape, { bytesPerValue: 2, tensorParallel: 1 });
      return [
        shape.name,
        `${number(shape.parameters / 1e9, 1)} B`,
        `${number(shape.activeParameters / 1e9, 1)} B`,
        `${number((kv.full + kv.windowed) / 1024, 1)} KiB`,
        number(shape.layers),
        number(shape.heads),
        shape.latent === null ? number(shape.kvHeads) : 'latent',
      ];
    }),
  );
}

function throughputTable(): string {
  return table(
    ['Model', 'Accelerator', 'Setup', 'Prompt/output', 'Published', 'Here', 'Gap'],
    PUBLISHED_THROUGHPUT.map((row) => {
      const ours = simulateThroughput(row);
      return [
        row.model,
        row.accelerator,
        row.setup,
        `${row.promptTokens}/${row.outputTokens}`,
        number(row.tokensPerSecond),
        number(ours),
        `${number((ours / row.tokensPerSecond - 1) * 100)} %`,
      ];
    }),
  );
}

const SECTIONS: readonly (readonly [title: string, text: string])[] = [
  ['Speed (milliseconds)', speedTable()],
  ['Size', sizeTable()],
  ['Starting, waking, adapters', startTable()],
  ['Published throughput', throughputTable()],
  ['Accelerators', acceleratorTable()],
  ['Models', modelTable()],
];

const body = SECTIONS.map(([title, text]) => `## ${title}\n\n${text}`).join('\n');
const page = readFileSync(FILE, 'utf8');
const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
const after = page.slice(page.indexOf(END));
const next = `${before}\n${body}${after}`;
if (process.argv.includes('--check')) {
  if (next !== page) {
    process.stderr.write('docs/profiles.md does not match the code\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, next);
}
