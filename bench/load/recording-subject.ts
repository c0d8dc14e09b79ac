// A gateway in a process of its own, whose recorder can be taken off and put back while it serves.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRng } from '../../src/core/rng.ts';
import type { Clock } from '../../src/core/clock.ts';
import { compose, listenerOptionsOf, type Composition } from '../../src/cli/compose.ts';
import type { PenstockConfig } from '../../src/cli/config/config.ts';
import { loadUpConfig } from '../../src/cli/config/overrides.ts';
import { awaitFirstProbes } from '../../src/cli/first-probes.ts';
import { parseOptions } from '../../src/cli/parse-options.ts';
import { setRuntimeFlags } from '../../src/cli/runtime-flags.ts';
import { createSystemClock } from '../../src/cli/system-clock.ts';
import { UP_OPTIONS } from '../../src/cli/up-options.ts';
import { openRecorder } from '../../src/gateway/recorder/open-recorder.ts';
import type { Recorder } from '../../src/gateway/recorder/recorder.ts';
import { createPromptKey, PROMPT_KEY_BYTES } from '../../src/protocol/wasm/prompt-key.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { CounterSeries } from '../../src/telemetry/series.ts';
import { BenchFailure } from '../lib/failure.ts';
import { serveCommands } from '../lib/worker.ts';

/** What the gateway serves, and where its recorder writes. */
export interface RecordingSubjectPlan {
  readonly upstreamPort: number;
  readonly path: string;
}

/** How long it is measured, while load runs. */
export interface RecordingPlan {
  /** With recording on, so that its code is as fast as it gets. */
  readonly warmUpMs: number;
  readonly pairs: number;
  /** Of one half of a pair. */
  readonly blockMs: number;
}

/** CPU time in microseconds per request of all threads, by pair. */
export interface RecordingResult {
  readonly plainUs: readonly number[];
  readonly recordedUs: readonly number[];
  /** Requests that went by while recording was on, and lines written in all. */
  readonly recordedRequests: number;
  readonly lines: number;
}

/** What this process can be asked. */
export type RecordingSubjectCommands = {
  /** The port on which it serves. */
  listen: { readonly params: RecordingSubjectPlan; readonly result: number };
  compare: { readonly params: RecordingPlan; readonly result: RecordingResult };
};

const PROBES_MS = 5_000;
/** For what is under way when recording is switched. */
const SETTLE_MS = 5;
/** For the last lines to be written. */
const WRITE_MS = 200;

/**
 * A clock whose timers go off when it is said: lines of a block with recording must not be written
 * in one without. Under this load full batches are what is written, nearly always in their block;
 * two flushes a second would add a hundredth of a per cent.
 */
class HeldTimers implements Clock {
  readonly #clock: Clock;
  readonly #held: Set<() => void> = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  setTimer(_delayMs: number, fire: () => void): object {
    this.#held.add(fire);
    return fire;
  }

  clearTimer(handle: object): void {
    this.#held.delete(handle as () => void);
  }

  fireAll(): void {
    const due = [...this.#held];
    this.#held.clear();
    for (const fire of due) fire();
  }
}

interface Subject {
  readonly parts: Composition;
  readonly recorder: Recorder;
  readonly timers: HeldTimers;
}

let subject: Subject | null = null;

async function listen(plan: RecordingSubjectPlan): Promise<number> {
  setRuntimeFlags();
  const config = await readConfig(plan);
  const clock = createSystemClock();
  const log = createLogger({
    level: 'warn',
    sampleRequests: 0,
    destination: process.stderr,
    clock,
  });
  const onFailure = (name: string, cause: unknown): void => {
    throw new BenchFailure(`${name} failed`, { cause });
  };
  const parts = compose(config, {
    clock,
    rng: createRng(1),
    promptKey: createPromptKey(randomBytes(PROMPT_KEY_BYTES)),
    log,
    onFailure,
  });
  const timers = new HeldTimers(clock);
  const { path, maxBytes, files } = { ...config.recording, path: plan.path };
  const opened = await openRecorder(
    { path, maxBytes, files },
    { clock: timers, log, metrics: parts.metrics, onFailure },
  );
  if (!opened.ok) throw new BenchFailure(opened.error);
  subject = { parts, recorder: opened.value, timers };
  parts.sources.apply(config);
  parts.monitor.start();
  await parts.gateway.listen(listenerOptionsOf(config));
  await awaitFirstProbes(parts.fleet, clock, { limitMs: PROBES_MS, isWanted: () => true });
  return Number(new URL(parts.gateway.urls[0] ?? '').port);
}

/** The configuration that users get with these arguments. */
async function readConfig(plan: RecordingSubjectPlan): Promise<PenstockConfig> {
  const server = `http://127.0.0.1:${plan.upstreamPort}`;
  const args = ['--server', server, '--listen', '127.0.0.1:0'];
  const parsed = parseOptions(UP_OPTIONS, { args, env: {} });
  if (!parsed.ok || parsed.value.kind !== 'options') throw new BenchFailure('wrong arguments');
  const config = await loadUpConfig(parsed.value.options);
  if (!config.ok) throw new BenchFailure(config.error.map(({ message }) => message).join('; '));
  return config.value;
}

/** Alternates: without and with, with and without, so that a drift falls on both. */
async function compare({ warmUpMs, pairs, blockMs }: RecordingPlan): Promise<RecordingResult> {
  if (subject === null) throw new BenchFailure('it does not listen');
  const { parts, recorder } = subject;
  for (let passedMs = 0; passedMs < warmUpMs; passedMs += blockMs) {
    await measureBlock(subject, recorder, blockMs);
  }
  const linesBefore = countLines(parts);
  const blocks: { readonly plain: Block[]; readonly recorded: Block[] } = {
    plain: [],
    recorded: [],
  };
  for (let pair = 0; pair < pairs; pair += 1) {
    const order = pair % 2 === 0 ? [null, recorder] : [recorder, null];
    for (const observer of order) {
      const block = await measureBlock(subject, observer, blockMs);
      (observer === null ? blocks.plain : blocks.recorded).push(block);
    }
  }
  subject.timers.fireAll();
  await sleep(WRITE_MS);
  return {
    plainUs: blocks.plain.map(cpuPerRequest),
    recordedUs: blocks.recorded.map(cpuPerRequest),
    recordedRequests: blocks.recorded.reduce((sum, { requests }) => sum + requests, 0),
    lines: countLines(parts) - linesBefore,
  };
}

interface Block {
  readonly cpuUs: number;
  readonly requests: number;
}

async function measureBlock(
  { parts }: Subject,
  observer: Recorder | null,
  blockMs: number,
): Promise<Block> {
  parts.director.observe(observer);
  await sleep(SETTLE_MS);
  const requestsBefore = countRequests(parts);
  const before = process.cpuUsage();
  await sleep(blockMs);
  const { user, system } = process.cpuUsage(before);
  return { cpuUs: user + system, requests: countRequests(parts) - requestsBefore };
}

function cpuPerRequest({ cpuUs, requests }: Block): number {
  return cpuUs / requests;
}

function countRequests({ metrics }: Composition): number {
  let sum = 0;
  for (const { definition, series } of metrics.collect()) {
    if (definition.name !== 'penstock_requests_total') continue;
    for (const each of series.values()) if (each instanceof CounterSeries) sum += each.value;
  }
  return sum;
}

function countLines({ metrics }: Composition): number {
  return metrics.counter('penstock_recorded_requests_total').value;
}

await serveCommands<RecordingSubjectCommands>({ listen, compare });
