import { DEFAULT_PRESET } from '../scheduler/presets.ts';
import { integerRow, listRow, textRow } from './option-rows.ts';
import type { OptionDefinition } from './options.ts';

/** Seeds of one `lab size` probe: with three that all meet, a fleet that meets on half of all days
 * is taken by mistake once in eight. */
const SIZE_SEEDS = 3;

const WORKLOAD: OptionDefinition = textRow(
  'workload',
  'NAME',
  'Kind of traffic; `penstock lab list` shows them.',
);

/** How requests of a workload come; for `lab` and `bench`. */
export const ARRIVALS: OptionDefinition = textRow(
  'arrivals',
  'KIND',
  'How requests come, in place of the workload’s own way: `constant`, `poisson`, `gamma:cv=2` (bursts; or `gamma:burstiness=0.25`), each with `rate=12` requests (of conversations: new ones) a second at a load of 1 if need be, or a closed loop of `closed:users=50,think=5s`.',
);

const FLEET: readonly OptionDefinition[] = [
  listRow(
    'profile',
    'NAME[:N]',
    'Accelerator and model of the replicas, as `penstock lab list` shows them, or a file of `lab calibrate --out`; several with their counts make a mixed fleet: `l4-8b:4,h100-8b:1`. Without it, the workload’s own.',
  ),
  integerRow('replicas', 'Replicas of a profile without a count; without it, the workload’s own.', {
    default: null,
    min: 1,
    max: 10_000,
  }),
];

/** Options that make a profile of a model's own configuration. */
export const MODEL_OPTIONS: readonly OptionDefinition[] = [
  textRow(
    'model-config',
    'FILE',
    'A Hugging Face `config.json`: with --accelerator, a profile of your own in place of --profile.',
  ),
  textRow('accelerator', 'NAME', 'With --model-config: what each replica runs on.'),
  integerRow('tensor-parallel', 'With --model-config: accelerators of each replica.', {
    default: 1,
    min: 1,
    max: 64,
  }),
];

/** Engine settings in place of the profile's. */
export const ENGINE_SETTINGS: readonly OptionDefinition[] = [
  integerRow('max-num-seqs', 'Sequences that a replica runs at once, in place of the profile’s.', {
    default: null,
    min: 1,
    max: 100_000,
  }),
  integerRow(
    'max-num-batched-tokens',
    'Tokens that one step computes at most, in place of the profile’s.',
    { default: null, min: 1, max: 10_000_000 },
  ),
  integerRow('kv-blocks', 'Blocks of KV cache of a replica, in place of the profile’s.', {
    default: null,
    min: 1,
    max: 100_000_000,
  }),
  integerRow('max-model-len', 'Longest prompt plus output in tokens, in place of the profile’s.', {
    default: null,
    min: 1,
    max: 100_000_000,
  }),
  integerRow('max-loras', 'Adapters that a replica holds on its accelerator; 4 if not given.', {
    default: null,
    min: 1,
    max: 100_000,
  }),
  integerRow(
    'max-cpu-loras',
    'Adapters that a replica keeps in host memory, from where they are back in milliseconds; 16 if not given.',
    { default: null, min: 0, max: 1_000_000 },
  ),
  {
    flag: 'prefix-caching',
    env: null,
    kind: 'boolean',
    default: true,
    unit: null,
    help: 'Reuse KV blocks of prompts that begin alike.',
  },
];

const EVENT: OptionDefinition = listRow(
  'event',
  'EVENT',
  'Something that happens to an endpoint, numbered from 0: `start:3@60s` (begins to start then, from nothing), `restart:2@60s:30s` (down for 30 s), `slow:0@60s:1.5` (steps take 1.5 times as long), `drain:1@60s`, `sleep:1@60s:level=2` (vLLM’s sleep mode; level 1 when not said) or `wake:1@90s` (serves again after the profile’s wake time). How long a start takes follows from the profile’s phases and from what is there: `start:3@60s:cached=node+image`.',
);

const POLICY: OptionDefinition = {
  flag: 'policy',
  env: null,
  kind: 'list',
  default: [DEFAULT_PRESET],
  unit: null,
  help: 'Presets, `all` of them, or YAML files with a scheduling profile or an EndpointPickerConfig; separated by commas.',
  placeholder: 'NAME',
};

const LOAD: OptionDefinition = {
  flag: 'load',
  env: null,
  kind: 'number',
  default: 1,
  unit: null,
  help: 'Multiplies the workload’s arrival rate, or its number of clients.',
  min: 0,
  max: 1_000_000,
};

const TIME: readonly OptionDefinition[] = [
  textRow(
    'duration',
    'TIME',
    'How long requests come, such as 90s or 10m of simulated time; without it, the workload’s own.',
  ),
  textRow(
    'warm-up',
    'TIME',
    'Requests before this count for nothing; without it, the workload’s own.',
  ),
];

const GOOD: OptionDefinition = textRow(
  'good',
  'TERMS',
  'What a good answer is, such as `ttft=1s,tpot=50ms,e2e=30s`, in place of the workload’s objective.',
);

const SEED: OptionDefinition = integerRow('seed', 'Equal seeds give equal runs.', {
  default: 1,
  min: 0,
  max: 4_294_967_295,
});

function seeds(count: number, help: string): OptionDefinition {
  return integerRow('seeds', help, { default: count, min: 1, max: 100 });
}

const OUTPUT: readonly OptionDefinition[] = [
  textRow(
    'json',
    'FILE',
    'Write the results as JSON; `-` is standard output, in place of the table.',
  ),
  textRow('report', 'FILE', 'Write one self-contained HTML page with plots.'),
  textRow(
    'budget',
    'TIME',
    'Wall-clock time after which the run ends with what it has, such as 60s.',
  ),
  integerRow('workers', 'Threads to use; without it, one for each core.', {
    default: null,
    min: 1,
    max: 256,
  }),
];

const MEASURED: OptionDefinition = listRow(
  'measured',
  'FILE',
  'A run of `penstock bench --json`, or of inference-perf, to stand beside the simulated ones; what it says of its traffic is taken where nothing else is given.',
);

const INFERENCE_PERF: OptionDefinition = textRow(
  'inference-perf',
  'FILE',
  'Write the run under the keys of inference-perf; for one policy and one seed.',
);

const COMMON: readonly OptionDefinition[] = [...MODEL_OPTIONS, ...ENGINE_SETTINGS];

/** Options of `penstock lab run`. */
export const LAB_RUN_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  WORKLOAD,
  ARRIVALS,
  ...FLEET,
  POLICY,
  LOAD,
  ...TIME,
  SEED,
  seeds(1, 'Runs of each policy, with this many seeds from --seed on; the table shows the range.'),
  GOOD,
  ...COMMON,
  EVENT,
  MEASURED,
  ...OUTPUT,
  INFERENCE_PERF,
]);

/** Options of `penstock lab replay`. */
export const LAB_REPLAY_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  {
    flag: 'format',
    env: null,
    kind: 'choice',
    default: 'auto',
    unit: null,
    choices: ['auto', 'penstock', 'mooncake', 'azure'],
    help: 'Form of the trace; `auto` looks at its first line.',
  },
  {
    flag: 'speed',
    env: null,
    kind: 'number',
    default: 1,
    unit: null,
    help: 'Requests come this many times as fast as they were recorded.',
    min: 0,
    max: 1_000_000,
  },
  integerRow('limit', 'Use this many requests of the trace, from its start.', {
    default: null,
    min: 1,
    max: 1_000_000_000,
  }),
  integerRow('block-tokens', 'Tokens of one hash id of a Mooncake trace.', {
    default: 512,
    min: 1,
    max: 1_000_000,
  }),
  ...FLEET,
  POLICY,
  ...TIME,
  SEED,
  seeds(1, 'Runs of each policy: the trace is the same, the random choices of policies are not.'),
  GOOD,
  ...COMMON,
  EVENT,
  MEASURED,
  ...OUTPUT,
  INFERENCE_PERF,
]);

/** Options of `penstock lab size`. */
export const LAB_SIZE_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  WORKLOAD,
  ARRIVALS,
  textRow(
    'objective',
    'TERMS',
    'What must hold, such as `ttft-p99=1s,itl-p99=50ms,goodput=99%`: ttft, tpot, itl or e2e with mean, p50, p90, p95, p99 or p99.9.',
  ),
  listRow(
    'profile',
    'NAME',
    'Profiles or profile files to compare, separated by commas; without it, the workload’s.',
  ),
  {
    flag: 'policy',
    env: null,
    kind: 'string',
    default: DEFAULT_PRESET,
    unit: null,
    help: 'One preset or YAML file.',
    placeholder: 'NAME',
  },
  integerRow('max-replicas', 'Replicas to try at most.', { default: 64, min: 1, max: 10_000 }),
  LOAD,
  ...TIME,
  SEED,
  seeds(SIZE_SEEDS, 'Runs of each count that must all meet the objective.'),
  GOOD,
  ...COMMON,
  ...OUTPUT,
]);

/** Options of `penstock lab sweep`. */
export const LAB_SWEEP_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  WORKLOAD,
  ARRIVALS,
  ...FLEET,
  POLICY,
  {
    flag: 'from',
    env: null,
    kind: 'number',
    default: 0.25,
    unit: null,
    help: 'Smallest load, as a multiple of the workload’s.',
    min: 0,
    max: 1_000_000,
  },
  {
    flag: 'to',
    env: null,
    kind: 'number',
    default: 2,
    unit: null,
    help: 'Largest load.',
    min: 0,
    max: 1_000_000,
  },
  integerRow('stages', 'Loads to run, both ends included.', { default: 8, min: 2, max: 200 }),
  {
    flag: 'spacing',
    env: null,
    kind: 'choice',
    default: 'geometric',
    unit: null,
    choices: ['linear', 'geometric'],
    help: 'Equal differences or equal ratios between loads.',
  },
  ...TIME,
  SEED,
  GOOD,
  ...COMMON,
  EVENT,
  ...OUTPUT,
]);

/** Options of `penstock lab list`. */
export const LAB_LIST_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  {
    flag: 'json',
    env: null,
    kind: 'boolean',
    default: false,
    unit: null,
    help: 'Print names and settings as JSON.',
  },
]);
