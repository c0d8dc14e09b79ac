// A process that runs the lab's simulator and times it.
import { createRng, type Rng } from '../../src/core/rng.ts';
import { PRESETS } from '../../src/scheduler/presets.ts';
import { NO_OBJECTIVE } from '../../src/scheduler/types.ts';
import { engineOptionsOf, findProfile } from '../../src/simulator/hardware/profiles.ts';
import type { LabEndpoint, LabOptions } from '../../src/simulator/lab/types.ts';
import { LabWorld } from '../../src/simulator/lab/world.ts';
import type { LabRequest, TrafficSource } from '../../src/simulator/workloads/types.ts';
import { serveCommands } from '../lib/worker.ts';

/** What to simulate. */
export interface SimulationPlan {
  readonly profile: string;
  readonly endpoints: number;
  readonly requestsPerSecond: number;
  readonly simulatedMs: number;
}

/** What it took. */
export interface SimulationResult {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly requests: number;
  readonly outputTokens: number;
  readonly promptTokens: number;
  readonly engineSteps: number;
  readonly events: number;
  readonly residentBytes: number;
  readonly status: string;
  readonly prefixHitShare: number;
  readonly ttftP50Ms: number;
}

/** What this process can be asked. */
export type LabSubjectCommands = {
  simulate: { readonly params: SimulationPlan; readonly result: SimulationResult };
};

const SEED = 17;
const PREFIXES = 100;
const PREFIX_TOKENS = 800;
const QUESTION_TOKENS = 200;
const OUTPUT_TOKENS = 200;
const EVENTS_PER_SLICE = 10_000;

/** Poisson arrivals; 800 shared and about 200 own prompt tokens, about 200 output tokens. */
class Chats implements TrafficSource {
  readonly expectedCount: null = null;
  readonly #plan: SimulationPlan;
  readonly #rng: Rng = createRng(SEED);
  #atMs = 0;
  #count = 0;

  constructor(plan: SimulationPlan) {
    this.#plan = plan;
  }

  nextAtMs(): number {
    return this.#atMs <= this.#plan.simulatedMs ? this.#atMs : Number.POSITIVE_INFINITY;
  }

  take(): LabRequest {
    const atMs = this.#atMs;
    const rng = this.#rng;
    this.#atMs += (-Math.log(1 - rng.next()) * 1000) / this.#plan.requestsPerSecond;
    this.#count += 1;
    const own = { id: PREFIXES + this.#count, tokens: near(QUESTION_TOKENS, rng) };
    const shared = { id: Math.floor(rng.next() * PREFIXES), tokens: PREFIX_TOKENS };
    return {
      atMs,
      session: this.#count,
      tenant: 'bench',
      adapter: null,
      segments: [shared, own],
      promptTokens: shared.tokens + own.tokens,
      output: { id: 2 ** 31 + this.#count, tokens: near(OUTPUT_TOKENS, rng) },
      maxTokens: null,
      objective: NO_OBJECTIVE,
      headers: null,
    };
  }

  noteEnded(): void {}
}

/** Evenly between half and one and a half times `mean`. */
function near(mean: number, rng: Rng): number {
  return Math.round(mean * (0.5 + rng.next()));
}

function optionsOf(plan: SimulationPlan): LabOptions {
  const profile = findProfile(plan.profile);
  if (profile === null) throw new TypeError(`no profile ${plan.profile}`);
  const endpoint: LabEndpoint = {
    profile: profile.name,
    engine: engineOptionsOf(profile),
    labels: {},
    accelerators: profile.accelerators,
    readyAtMs: 0,
    events: [],
  };
  return {
    endpoints: Array.from({ length: plan.endpoints }, () => endpoint),
    policy: { name: 'soonest', profile: PRESETS.soonest, plugins: [] },
    traffic: new Chats(plan),
    objective: { ttftMs: 2000, tpotMs: 100, e2eMs: null },
    adapters: [],
    delays: { gatewayMs: 1, networkMs: 0.5, scrapeMs: 5 },
    warmUpMs: 0,
    durationMs: plan.simulatedMs,
    drainMs: 600_000,
    maxOpenRequests: 100_000,
    seed: SEED,
    sampleMs: 5000,
  };
}

function simulate(plan: SimulationPlan): SimulationResult {
  const startedAtMs = performance.now();
  const cpuBefore = process.cpuUsage();
  const world = new LabWorld(optionsOf(plan));
  let events = 0;
  while (!world.advance(EVENTS_PER_SLICE)) events += EVENTS_PER_SLICE;
  const result = world.result();
  const wallMs = performance.now() - startedAtMs;
  const cpu = process.cpuUsage(cpuBefore);
  const steps = world.replicas.map(({ model }) => model?.counters.steps ?? 0);
  return {
    wallMs,
    cpuMs: (cpu.user + cpu.system) / 1000,
    requests: result.requests.completed,
    outputTokens: world.outputTokens,
    promptTokens: Math.round((result.throughput.inputTokensPerSecond * result.countedMs) / 1000),
    engineSteps: steps.reduce((sum, count) => sum + count, 0),
    events,
    residentBytes: process.memoryUsage.rss(),
    status: result.status,
    prefixHitShare: result.prefixHitShare,
    ttftP50Ms: result.ttftMs.p50,
  };
}

await serveCommands<LabSubjectCommands>({ simulate });
