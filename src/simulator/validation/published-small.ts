import { figure, orient, OURS, preset } from './published-figures.ts';
import type { PublishedSetup } from './published-types.ts';

const GKE_BEST = [
  figure(['outputTokensPerSecond', 28, 7169], 0.1, 'the rate is taken from this figure'),
  figure(['ttftMeanSeconds', 28, 0.188], 0.2, 'prompts; what their gateway and network add'),
  figure(['tpotMeanMs', 28, 30.2], 0.35, 'prompts and answers of unknown size'),
];

/** A load balancer and an inference gateway; sizes are not published. */
export const GKE: PublishedSetup = {
  title: 'Llama 3.1 8B on 8 A100 40 GB: HTTP load balancer against GKE Inference Gateway',
  sources: [
    'https://www.principledtechnologies.com/Google/GKE-Inference-Gateway-study-0526.pdf',
    'https://github.com/kubernetes-sigs/gateway-api-inference-extension ' +
      '(benchmarking/prefix-cache-aware/high-cache-values.yaml)',
  ],
  stated:
    '8 vLLM servers, one A100 40 GB each; inference-perf with shared prefixes; 7,169 against ' +
    '6,042 ' +
    'output tokens/s (published as +15.7 %; by these figures it is +18.7 %), TTFT 188 against 2,625 ms.',
  assumed:
    'The report was not at hand, only summaries of it. The sizes of the Inference Extension’s ' +
    'own benchmark of prefix caching (256 prompts of 2,048 ' +
    'tokens, 16 questions of 256 to each, answers of 256), and 28 requests/s, which 7,169 ' +
    'tokens/s ' +
    'then are; 60 s of warm-up, 60 s measured.',
  finding:
    'Both sides are within 10 % in throughput although sizes are assumed. TTFT of 60 ' +
    'against 188 ms says that prompts were longer or the way there slower.',
  machine: {
    model: 'Llama-3.1-8B-Instruct',
    accelerator: 'a100-40',
    options: {},
    replicas: 8,
    kvTokens: null,
  },
  prompts: {
    groups: 256,
    promptsPerGroup: 16,
    systemTokens: 2048,
    questionTokens: 256,
    outputTokens: 256,
  },
  load: {
    kind: 'ladder',
    stages: [
      { requestsPerSecond: 28, durationSeconds: 60 },
      { requestsPerSecond: 28, durationSeconds: 60 },
    ],
    pauseMs: 15_000,
  },
  runs: [
    {
      there: 'HTTP load balancer',
      policy: preset('round-robin'),
      calibration: null,
      figures: [
        figure(['outputTokensPerSecond', 28, 6042], 0.2, 'sizes and length of the run'),
        figure(['ttftMeanSeconds', 28, 2.625], null, 'a queue that grows as long as the run lasts'),
        figure(['tpotMeanMs', 28, 81], 0.2, 'prompts and answers of unknown size'),
      ],
    },
    {
      there: 'GKE Inference Gateway',
      policy: preset('llm-d-default'),
      calibration: null,
      figures: GKE_BEST,
    },
    { there: null, policy: preset('soonest'), calibration: null, figures: orient(GKE_BEST, OURS) },
  ],
};

const UNKNOWN = 'number and length of prompts';
const EKS_BEST = [
  figure(['outputTokensPerSecond', null, 6423], 0.25, UNKNOWN),
  figure(['spanSeconds', null, 358.7], 0.25, UNKNOWN),
  figure(['ttftMeanSeconds', null, 0.86], 0.25, UNKNOWN),
];

/** A Service and llm-d; sizes are not published. */
export const EKS: PublishedSetup = {
  title: 'Qwen2.5-7B on 8 A10G: Kubernetes Service against llm-d',
  sources: ['https://dev.to/andygolubev (how-llm-d-prefix-cache-routing-made-qwen-7b-on-eks)'],
  stated:
    '8 vLLM servers on g5.xlarge (one A10G each), Qwen2.5-7B-Instruct; 512 requests open at ' +
    'once; ' +
    'llm-d with precise prefix scoring; 840.2 against 358.7 s for the same work, which is ' +
    '2.304 million ' +
    'output tokens.',
  assumed:
    'What the article says of prompts was not at hand, only its summary. 9,000 answers of 256 ' +
    'tokens; 64 prompts of 2,000 tokens, which fit the fleet’s caches (28 %) but ' +
    'not one server’s (2.2 times), with questions of 200. Of twelve shapes that were tried ' +
    '(answers of ' +
    '256 to 1,000, prompts of 2,000 to 8,000) these come nearest: with larger ones 512 ' +
    'requests do not ' +
    'fit the caches, and nobody answers after 0.86 s.',
  finding:
    'Prefix-aware routing is reproduced within 10 % with no factor fitted. The Service is ' +
    'simulated slower than it was: how many prompts there were decides it, as the next ' +
    'two tables show.',
  machine: {
    model: 'Qwen2.5-7B-Instruct',
    accelerator: 'a10g',
    options: {},
    replicas: 8,
    kvTokens: null,
  },
  prompts: {
    groups: 64,
    promptsPerGroup: 141,
    systemTokens: 2000,
    questionTokens: 200,
    outputTokens: 256,
  },
  load: { kind: 'crowd', requests: 9000, concurrency: 512 },
  runs: [
    {
      there: 'Kubernetes Service',
      policy: preset('round-robin'),
      calibration: null,
      figures: [
        figure(['outputTokensPerSecond', null, 2742], 0.45, UNKNOWN),
        figure(['spanSeconds', null, 840.2], null, UNKNOWN),
        figure(['ttftMeanSeconds', null, 19], null, UNKNOWN),
      ],
    },
    {
      there: 'llm-d, precise prefix',
      policy: preset('llm-d-precise'),
      calibration: null,
      figures: EKS_BEST,
    },
    { there: null, policy: preset('soonest'), calibration: null, figures: orient(EKS_BEST, OURS) },
  ],
};

const VARIANT_RUNS = [
  {
    there: 'Kubernetes Service',
    policy: preset('round-robin'),
    calibration: null,
    figures: [figure(['outputTokensPerSecond', null, 2742], null, UNKNOWN)],
  },
  {
    there: 'llm-d, precise prefix',
    policy: preset('llm-d-precise'),
    calibration: null,
    figures: [figure(['outputTokensPerSecond', null, 6423], null, UNKNOWN)],
  },
];

function withGroups(groups: number, finding: string): PublishedSetup {
  return {
    ...EKS,
    title: `The same with ${groups} prompts`,
    stated: 'as above.',
    assumed: `${groups} prompts of 2,000 tokens.`,
    finding,
    prompts: { ...EKS.prompts, groups, promptsPerGroup: Math.ceil(9000 / groups) },
    runs: VARIANT_RUNS,
  };
}

/** More of it fits one server. */
export const EKS_FEW: PublishedSetup = withGroups(
  32,
  'A Service profits from fewer prompts; the published 2,742 lie between 32 and 64.',
);
/** Less of it fits one server. */
export const EKS_MANY: PublishedSetup = withGroups(128, 'Both sides lose where caches are tight.');
