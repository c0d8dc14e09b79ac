import { ENGINE_PROFILES } from '../hardware/profiles.ts';
import { SIMULATED_DIALECTS } from './engine-options.ts';

/** One row of the option table of `penstock engine`; the shape of the command line's own tables. */
export interface EngineOptionDefinition {
  /** Name without dashes. */
  readonly flag: string;
  readonly env: string;
  readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'choice' | 'list';
  /** null: from the profile, or off. */
  readonly default: string | number | boolean | readonly string[] | null;
  readonly unit: string | null;
  readonly help: string;
  readonly choices?: readonly string[];
  readonly placeholder?: string;
  readonly min?: number;
  readonly max?: number;
}

type Details = Partial<Pick<EngineOptionDefinition, 'choices' | 'placeholder' | 'min' | 'max'>> & {
  readonly default?: EngineOptionDefinition['default'];
  readonly unit?: string;
};

function define(
  flag: string,
  kind: EngineOptionDefinition['kind'],
  help: string,
  details: Details = {},
): EngineOptionDefinition {
  const env = `PENSTOCK_ENGINE_${flag.replaceAll('-', '_').toUpperCase()}`;
  return Object.freeze({ flag, env, kind, default: null, unit: null, help, ...details });
}

const PROFILE_HELP =
  'Machine and model to imitate, as `penstock lab list` shows them, or a file of ' +
  `\`lab calibrate --out\`: ${ENGINE_PROFILES.map(({ name }) => name).join(', ')}.`;

/** Every option of `penstock engine`. Names follow vLLM's where it has one. */
export const ENGINE_OPTIONS: readonly EngineOptionDefinition[] = Object.freeze([
  define('listen', 'string', 'Where to serve; port 0 takes any free one.', {
    default: '127.0.0.1:8000',
    placeholder: 'HOST:PORT',
  }),
  define(
    'engine-id',
    'string',
    'Value of the x-engine-id response header; host:port if not given.',
  ),
  define('model', 'list', 'Name of the served model; more names are aliases of it.', {
    default: [],
    placeholder: 'NAME',
  }),
  define('dialect', 'choice', 'Engine that paths, metrics and version pages imitate.', {
    default: 'vllm',
    choices: SIMULATED_DIALECTS,
  }),
  define('profile', 'string', PROFILE_HELP, { default: 'demo', placeholder: 'NAME' }),
  define(
    'model-config',
    'string',
    'A Hugging Face `config.json`: with --accelerator, a profile of your own in place of --profile.',
    { placeholder: 'FILE' },
  ),
  define('accelerator', 'string', 'With --model-config: what the model runs on, such as h100.', {
    placeholder: 'NAME',
  }),
  define('tensor-parallel', 'integer', 'With --model-config: accelerators that share the model.', {
    default: 1,
    min: 1,
    max: 64,
  }),
  define('max-num-seqs', 'integer', 'Sequences that run at once; from the profile if not given.', {
    min: 1,
  }),
  define(
    'max-num-batched-tokens',
    'integer',
    'Tokens computed in one step, at least --max-num-seqs.',
    {
      unit: 'tokens',
      min: 1,
    },
  ),
  define('kv-blocks', 'integer', 'Blocks of the KV cache.', { min: 1 }),
  define('block-size', 'integer', 'Tokens in a block.', { unit: 'tokens', min: 1 }),
  define('max-model-len', 'integer', 'Longest prompt plus output.', { unit: 'tokens', min: 1 }),
  define('max-queue', 'integer', 'Requests that may wait; more are refused with 503.', {
    default: 1000,
    min: 0,
  }),
  define('prefix-caching', 'boolean', 'Reuse the KV blocks of equal prompt prefixes.', {
    default: true,
  }),
  define('lora', 'list', 'Adapter to offer, with its base model after = if not the first name.', {
    default: [],
    placeholder: 'NAME[=BASE]',
  }),
  define('max-loras', 'integer', 'Adapter slots on the accelerator.', { default: 4, min: 0 }),
  define('max-cpu-loras', 'integer', 'Adapters kept in host memory.', { default: 16, min: 0 }),
  define(
    'lora-load-ms',
    'integer',
    'Loading an adapter from storage; from the profile if not given.',
    {
      unit: 'ms',
      min: 0,
    },
  ),
  define('seed', 'integer', 'Seed of generated text and of injected failures.', {
    default: 0,
    min: 0,
  }),
  define('speed', 'number', 'How many times faster than the profile to run.', {
    default: 1,
    min: 0.001,
  }),
  define('startup-ms', 'integer', 'Answer 503 for this long after the start.', {
    default: 0,
    unit: 'ms',
    min: 0,
  }),
  define('fail-rate', 'number', 'Share of requests answered with --fail-status.', {
    default: 0,
    min: 0,
    max: 1,
  }),
  define('fail-count', 'integer', 'Answer the first this many requests with --fail-status.', {
    default: 0,
    min: 0,
  }),
  define('fail-status', 'integer', 'Status of injected errors.', {
    default: 500,
    min: 400,
    max: 599,
  }),
  define(
    'fail-body',
    'string',
    'Body of injected errors; the engine’s own error shape if not given.',
  ),
  define('latency-ms', 'integer', 'Delay before a request is looked at.', {
    default: 0,
    unit: 'ms',
    min: 0,
  }),
  define('stall-first-byte-ms', 'integer', 'Silence before the response head.', {
    default: 0,
    unit: 'ms',
    min: 0,
  }),
  define('stall-after', 'integer', 'Stop a stream for --stall-ms after this many chunks.', {
    unit: 'chunks',
    min: 0,
  }),
  define('stall-ms', 'integer', 'Length of the stall of --stall-after.', {
    default: 60_000,
    unit: 'ms',
    min: 0,
  }),
  define('cut-after', 'integer', 'Destroy the connection after this many chunks.', {
    unit: 'chunks',
    min: 0,
  }),
  define('refuse-ms', 'integer', 'Refuse connections for this long after the start.', {
    default: 0,
    unit: 'ms',
    min: 0,
  }),
]);
