import type { Calibration } from '../engine/step-time.ts';
import { figure, orient, OURS, preset, weighted } from './published-figures.ts';
import type {
  PublishedFigure,
  PublishedMachine,
  PublishedRun,
  PublishedSetup,
  SharedPrompts,
} from './published-types.ts';
import type { LoadStage } from './staged-traffic.ts';

const LOAD_ONLY = ['queue-scorer', 'kv-cache-utilization-scorer', 'max-score-picker'];

// [requests a second, seconds], as in llm-d's guide.yaml; the first seats the prompts.
const LADDER: readonly LoadStage[] = (
  [
    [15, 50],
    [3, 20],
    [10, 20],
    [15, 20],
    [20, 38],
    [22, 34],
    [25, 30],
    [30, 25],
    [35, 21],
    [40, 38],
    [43, 36],
    [46, 33],
    [49, 30],
    [52, 29],
    [55, 27],
    [57, 26],
    [60, 25],
  ] as const
).map(([requestsPerSecond, durationSeconds]) => ({ requestsPerSecond, durationSeconds }));

const B2B_PROMPTS: SharedPrompts = {
  groups: 150,
  promptsPerGroup: 5,
  systemTokens: 6000,
  questionTokens: 1200,
  outputTokens: 1000,
};
const QWEN_32B: PublishedMachine = {
  model: 'Qwen3-32B',
  accelerator: 'h100',
  options: { tensorParallel: 2 },
  replicas: 8,
  kvTokens: null,
};
const B2B_STATED =
  '8 vLLM servers on 16 H100 (TP2), Qwen3-32B. inference-perf `shared_prefix`: 150 system prompts of ' +
  '6,000 tokens, 5 questions of 1,200 to each, answers of 1,000 (`ignore_eos`). Poisson ladder of 16 ' +
  'stages from 3 to 60 requests/s after a warm-up of 750; a stage begins when the one before is ' +
  'answered.';

// What a stage of 3 requests/s shows: the first token of a whole prompt after 0.5 s (uncalibrated:
// 0.62 s) and 15.7 to 16.1 ms between tokens (18.2 ms).
const NEWER_VLLM: Calibration = { prefill: 0.8, decode: 0.86, overhead: 1 };
// The same stage in 2025: 0.62 s, and 23 ms between tokens.
const OLDER_VLLM: Calibration = { prefill: 1, decode: 1.25, overhead: 1 };

const SPEED = 'uncalibrated speeds: this engine reads prompts 20 % and decodes 14 % faster';
const QUEUES = 'a queue grows with the difference of rate and speed, of which 4 % are much';
const UNEVEN_AND_READ =
  'groups stay where the warm-up put them, and the fullest server ends last; each sequence reads its ' +
  'whole context from memory here';

const AGENTGATEWAY_BEST = [
  figure(['outputTokensPerSecond', 60, 16_178], null, OURS),
  figure(['outputTokensPerSecond', null, 12_552], null, OURS),
  figure(['ttftP90Seconds', 60, 0.2], null, OURS),
];

function roundRobinFigures(calibrated: boolean): readonly PublishedFigure[] {
  const tight = calibrated ? 0.1 : 0.25;
  const speed = calibrated ? 'factors from one stage, with one digit' : SPEED;
  return [
    figure(
      ['outputTokensPerSecond', 3, 1570],
      0.2,
      'chance: 60 requests, of which the last one decides',
    ),
    figure(['outputTokensPerSecond', 20, 6182], tight, speed),
    figure(['ttftP90Seconds', 20, 36], calibrated ? 0.25 : 0.6, QUEUES),
    figure(['outputTokensPerSecond', 60, 6879], tight, speed),
    figure(['ttftP50Seconds', 60, 62.9], calibrated ? 0.25 : 0.6, QUEUES),
    figure(['ttftP90Seconds', 60, 135.6], calibrated ? 0.2 : 0.5, QUEUES),
    figure(['outputTokensPerSecond', null, 6066], tight, speed),
  ];
}

const AGENTGATEWAY_RUNS: readonly PublishedRun[] = [
  {
    there: 'Kubernetes Service, round robin',
    policy: preset('round-robin'),
    calibration: null,
    figures: roundRobinFigures(false),
  },
  {
    there: 'Kubernetes Service, round robin',
    policy: preset('round-robin'),
    calibration: NEWER_VLLM,
    figures: roundRobinFigures(true),
  },
  {
    there: 'agentgateway with llm-d’s optimized baseline',
    policy: preset('llm-d-affinity'),
    calibration: NEWER_VLLM,
    figures: [
      figure(
        ['outputTokensPerSecond', 3, 1694],
        0.2,
        'chance: 60 requests, of which the last one decides',
      ),
      figure(['outputTokensPerSecond', 20, 10_974], 0.25, UNEVEN_AND_READ),
      figure(['outputTokensPerSecond', 60, 16_178], 0.35, UNEVEN_AND_READ),
      figure(['ttftP90Seconds', 60, 0.2], 0.2, 'one digit'),
      figure(['outputTokensPerSecond', null, 12_552], 0.3, UNEVEN_AND_READ),
    ],
  },
  {
    there: null,
    policy: preset('llm-d-default'),
    calibration: NEWER_VLLM,
    figures: AGENTGATEWAY_BEST,
  },
  {
    there: null,
    policy: preset('soonest'),
    calibration: NEWER_VLLM,
    figures: AGENTGATEWAY_BEST,
  },
];

/** Round robin and a prefix-aware picker, every stage published. */
export const AGENTGATEWAY: PublishedSetup = {
  title: 'Qwen3-32B on 16 H100, 2026: round robin against llm-d’s optimized baseline',
  sources: [
    'https://github.com/agentgateway/agentgateway/pull/2526',
    'https://github.com/agentgateway/benchmarks (inference/reports, every stage of the ladder)',
    'https://github.com/llm-d/llm-d (guides/precise-prefix-cache-routing, ladder and server flags)',
  ],
  stated: `${B2B_STATED} vLLM 0.23.`,
  assumed:
    '`--gpu-memory-utilization 0.95`, as llm-d’s guide has it for this model and fleet (with 0.9 ' +
    'the prefix-aware picker begins to thrash here at 20 requests/s); 30 s between stages, as there. ' +
    'Calibrated means prompts in 0.8 and decoding in 0.86 of the profile’s time, from the stage of 3 ' +
    'requests/s, where nothing queues; the other 15 stages are predicted.',
  finding:
    'Two factors from the idle stage predict the overloaded Service within 10 %, its queue included. ' +
    'Prefix-aware routing is underestimated: at 190 sequences a server TPOT is a third too high. Reading ' +
    'KV in a fifth less time, as if sequences that share blocks found some of them in the second-level ' +
    'cache, gives `llm-d-default` 16,400 tokens/s at 60/s.',
  machine: { ...QWEN_32B, options: { tensorParallel: 2, memoryUtilization: 0.95 } },
  prompts: B2B_PROMPTS,
  load: { kind: 'ladder', stages: LADDER, pauseMs: 30_000 },
  runs: AGENTGATEWAY_RUNS,
};

const THRASHING =
  'prompts that drive each other out of caches: where that tips over depends on little';
const PRECISE =
  'their picker reads KV events; ours has an index that knows what a cache holds and is corrected ' +
  'by reported hits';

/** Four policies of llm-d, every stage published. */
export const KV_CACHE_WINS: PublishedSetup = {
  title: 'Qwen3-32B on 16 H100, 2025: four ways of scheduling',
  sources: [
    'https://llm-d.ai/blog/kvcache-wins-you-can-see',
    'https://github.com/llm-d/llm-d-kv-cache-manager (benchmarking/73-capacity, every stage)',
  ],
  stated:
    `${B2B_STATED} KV cache of 307,328 tokens a server. Scorers and weights of every policy; figures ` +
    'are means over the 16 stages.',
  assumed:
    '1 s between stages, inference-perf’s default. Calibrated means decoding in 1.25 of the profile’s ' +
    'time, from the stage of 3 requests/s (23 ms between tokens); the other 15 stages are predicted.',
  finding:
    'One factor from the idle stage predicts all four policies within 15 % in throughput, precise ' +
    'scheduling within 1 %. Random and load, 4 % apart in the source, change places. In queues, where ' +
    'there are any, requests wait longer here.',
  machine: { ...QWEN_32B, kvTokens: 307_328 },
  prompts: B2B_PROMPTS,
  load: { kind: 'ladder', stages: LADDER, pauseMs: 1000 },
  runs: [
    {
      there: 'random',
      policy: preset('random'),
      calibration: null,
      figures: [figure(['outputTokensPerSecond', null, 4429], 0.3, 'this vLLM decodes slower')],
    },
    {
      there: 'random',
      policy: preset('random'),
      calibration: OLDER_VLLM,
      figures: [
        figure(['outputTokensPerSecond', null, 4429], 0.1, 'one factor from one stage'),
        figure(['ttftMeanSeconds', null, 45.3], 0.5, QUEUES),
        figure(['ttftP90Seconds', null, 92.6], 0.4, QUEUES),
      ],
    },
    {
      there: 'load (queue 1, KV cache 1)',
      policy: weighted('load', LOAD_ONLY),
      calibration: OLDER_VLLM,
      figures: [
        figure(['outputTokensPerSecond', null, 4266], 0.15, 'their reports are older than ours'),
        figure(['ttftP90Seconds', null, 94.9], 0.4, QUEUES),
      ],
    },
    {
      there: 'approximate (queue 1, KV cache 1, prefix 1)',
      policy: weighted('approximate', ['prefix-cache-scorer', ...LOAD_ONLY], 'assumed'),
      calibration: OLDER_VLLM,
      figures: [
        figure(['outputTokensPerSecond', null, 6944], 0.25, THRASHING),
        figure(['ttftP90Seconds', null, 31.1], null, THRASHING),
      ],
    },
    {
      there: 'precise (queue 2, KV cache 2, prefix 3)',
      policy: preset('llm-d-precise'),
      calibration: OLDER_VLLM,
      figures: [
        figure(['outputTokensPerSecond', null, 8730], 0.1, PRECISE),
        figure(['outputTokensPerSecond', 60, 10_497], 0.15, PRECISE),
        figure(['ttftP90Seconds', null, 0.54], 0.2, PRECISE),
      ],
    },
    {
      there: null,
      policy: preset('soonest'),
      calibration: OLDER_VLLM,
      figures: orient(
        [
          figure(['outputTokensPerSecond', null, 8730], null, OURS),
          figure(['ttftP90Seconds', null, 0.54], null, OURS),
        ],
        OURS,
      ),
    },
  ],
};
