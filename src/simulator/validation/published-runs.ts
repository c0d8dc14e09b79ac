import { must } from '../../core/assert.ts';
import { pickIndex, type Rng } from '../../core/rng.ts';
import { createProfile } from '../hardware/create-profile.ts';
import { findModelShape } from '../hardware/models.ts';
import { engineOptionsOf } from '../hardware/profiles.ts';
import { DEFAULT_DELAYS } from '../lab/jobs.ts';
import type { LabEndpoint, RequestEnd } from '../lab/types.ts';
import { LabWorld } from '../lab/world.ts';
import { createStream } from '../workloads/random.ts';
import { createRequest } from '../workloads/request.ts';
import { SegmentMint } from '../workloads/segments.ts';
import type { LabRequest, PromptSegment } from '../workloads/types.ts';
import type {
  Measure,
  PublishedFigure,
  PublishedRun,
  PublishedSetup,
  SharedPrompts,
} from './published-types.ts';
import type { ValidationRow } from './row.ts';
import { StageMeter, type StageMeasures } from './stage-meter.ts';
import { CrowdTraffic, StagedTraffic } from './staged-traffic.ts';

const SEED = 1;
/** Purpose of the stream that shuffles questions; stages count from 0. */
const ORDER = 1_000_000;
/** Longer than anything here takes: runs end by themselves. */
const NEVER_MS = 1e9;
const MAX_OPEN_REQUESTS = 100_000;
const SAMPLE_MS = 60_000;

/** What one policy gave on a setup. */
export interface PublishedOutcome {
  readonly run: PublishedRun;
  /** By stage without the one that warms up, or of the one crowd. */
  readonly stages: readonly StageMeasures[];
  readonly prefixHitShare: number;
  readonly preemptions: number;
  /** Of the whole run. */
  readonly outputTokens: number;
}

/** Simulates one policy on a published setup, from the first stage to the last. */
export function simulatePublished(setup: PublishedSetup, run: PublishedRun): PublishedOutcome {
  const { load } = setup;
  const create = createQuestioner(setup.prompts);
  const traffic =
    load.kind === 'ladder'
      ? new StagedTraffic({ ...load, seed: SEED, create })
      : new CrowdTraffic({ ...load, create });
  const meter = new StageMeter();
  const stageOf = (request: LabRequest): number =>
    traffic instanceof StagedTraffic ? traffic.stageOf(request) : 0;
  const world = new LabWorld({
    endpoints: createEndpoints(setup, run),
    policy: run.policy,
    traffic,
    objective: { ttftMs: null, tpotMs: null, e2eMs: null },
    adapters: [],
    delays: DEFAULT_DELAYS,
    warmUpMs: 0,
    durationMs: NEVER_MS,
    drainMs: NEVER_MS,
    maxOpenRequests: MAX_OPEN_REQUESTS,
    seed: SEED,
    sampleMs: SAMPLE_MS,
    onRequestEnded: (end: RequestEnd) => {
      meter.note(stageOf(end.request), end);
    },
  });
  while (!world.advance(100_000));
  const { prefixHitShare, preemptions } = world.result();
  const stages = meter.stages();
  return {
    run,
    stages: load.kind === 'ladder' ? stages.slice(1) : stages,
    prefixHitShare,
    preemptions,
    outputTokens: world.outputTokens,
  };
}

/** The published figures of a run beside ours. */
export function publishedRows(
  setup: PublishedSetup,
  outcome: PublishedOutcome,
): readonly ValidationRow[] {
  const { run } = outcome;
  const profile = run.calibration === null ? '' : ', calibrated';
  const there = run.there === null ? 'not measured there' : run.there;
  return run.figures.map((figure) => ({
    setup: `${there}: \`${run.policy.name}\`${profile}`,
    quantity: quantityOf(figure),
    reference: figure.value,
    ours: measureOf(setup, outcome, figure),
    ...UNITS[figure.measure],
    tolerance: figure.tolerance,
    cause: figure.cause,
  }));
}

/** Segments of a prompt. */
type Question = readonly PromptSegment[];

const UNITS: Readonly<Record<Measure, { readonly unit: string; readonly digits: number }>> = {
  outputTokensPerSecond: { unit: 'tokens/s', digits: 0 },
  ttftMeanSeconds: { unit: 's', digits: 2 },
  ttftP50Seconds: { unit: 's', digits: 2 },
  ttftP90Seconds: { unit: 's', digits: 2 },
  tpotMeanMs: { unit: 'ms', digits: 1 },
  spanSeconds: { unit: 's', digits: 1 },
};

const NAMES: Readonly<Record<Measure, string>> = {
  outputTokensPerSecond: 'output tokens/s',
  ttftMeanSeconds: 'TTFT mean',
  ttftP50Seconds: 'TTFT p50',
  ttftP90Seconds: 'TTFT p90',
  tpotMeanMs: 'TPOT mean',
  spanSeconds: 'time to the last answer',
};

function quantityOf({ measure, stage }: PublishedFigure): string {
  return stage === null ? NAMES[measure] : `${NAMES[measure]} at ${stage}/s`;
}

function measureOf(
  { load }: PublishedSetup,
  { stages }: PublishedOutcome,
  { measure, stage }: PublishedFigure,
): number {
  if (stage === null || load.kind === 'crowd') {
    return stages.reduce((sum, each) => sum + each[measure], 0) / stages.length;
  }
  const index = load.stages.slice(1).findIndex((each) => each.requestsPerSecond === stage);
  return must(stages[index], `a stage of ${stage} requests/s`)[measure];
}

function createEndpoints(
  { machine }: PublishedSetup,
  { calibration }: PublishedRun,
): readonly LabEndpoint[] {
  const { model, accelerator, options, replicas, kvTokens } = machine;
  const shape = must(findModelShape(model), `model ${model}`);
  const factors = calibration === null ? {} : { calibration };
  const made = createProfile(shape, accelerator, { ...options, ...factors });
  const profile = must(made.ok ? made.value : null, `profile of ${model}`);
  const kvBlocks =
    kvTokens === null ? profile.kvBlocks : Math.floor(kvTokens / profile.blockSizeTokens);
  return Array.from({ length: replicas }, () => ({
    profile: profile.name,
    engine: engineOptionsOf(profile, { kvBlocks }),
    labels: {},
    accelerators: profile.accelerators,
    readyAtMs: 0,
    events: [],
  }));
}

/** As inference-perf: all questions shuffled once, and asked in that order in every stage. */
function createQuestioner(prompts: SharedPrompts): (atMs: number, number: number) => LabRequest {
  const mint = new SegmentMint();
  const questions: Question[] = [];
  for (let group = 0; group < prompts.groups; group += 1) {
    const system = mint.create(prompts.systemTokens);
    for (let index = 0; index < prompts.promptsPerGroup; index += 1) {
      questions.push([system, mint.create(prompts.questionTokens)]);
    }
  }
  shuffle(questions, createStream(SEED, ORDER));
  let session = 0;
  return (atMs, number) => {
    session += 1;
    return createRequest({
      atMs,
      session,
      tenant: 'tenant',
      segments: must(questions[number % questions.length], 'a question'),
      output: mint.create(prompts.outputTokens),
      maxTokens: prompts.outputTokens,
    });
  };
}

/** Fisher and Yates, in place. */
function shuffle(items: Question[], rng: Rng): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = pickIndex(rng, last + 1);
    [items[last], items[other]] = [items[other] as Question, items[last] as Question];
  }
}
