import { ARRIVALS } from './lab-options.ts';
import { textRow } from './option-rows.ts';
import type { OptionDefinition } from './options.ts';

const TRAFFIC: readonly OptionDefinition[] = [
  textRow('workload', 'NAME', 'Kind of traffic; `penstock lab list` shows them.'),
  ARRIVALS,
  textRow('trace', 'FILE', 'Traffic of a recording or a published trace, in place of --workload.'),
  {
    flag: 'load',
    env: null,
    kind: 'number',
    default: 1,
    unit: null,
    help: 'Multiplies the workload’s arrival rate or its number of clients, or the speed of a trace.',
    min: 0,
    max: 1_000_000,
  },
  textRow(
    'duration',
    'TIME',
    'How long requests come, such as 90s; without it, the workload’s own.',
  ),
  textRow('warm-up', 'TIME', 'Requests before this are sent but do not count.'),
  {
    flag: 'seed',
    env: null,
    kind: 'integer',
    default: 1,
    unit: null,
    help: 'Equal seeds give equal requests; another seed has other text, which no cache knows yet.',
    min: 0,
    max: 4_294_967_295,
  },
];

const REQUESTS: readonly OptionDefinition[] = [
  textRow('model', 'NAME', 'Model to ask for; without it, the first that the server lists.'),
  {
    flag: 'api',
    env: null,
    kind: 'choice',
    default: 'chat',
    unit: null,
    choices: ['chat', 'completions'],
    help: 'OpenAI API to speak: `/v1/chat/completions` or `/v1/completions`.',
  },
  {
    flag: 'header',
    env: null,
    kind: 'list',
    default: [],
    unit: null,
    help: 'Header of every request, such as `x-tenant: a`.',
    placeholder: 'NAME: VALUE',
  },
  {
    flag: 'api-key-env',
    env: null,
    kind: 'string',
    default: 'OPENAI_API_KEY',
    unit: null,
    help: 'Environment variable with the API key; without a value, none is sent.',
    placeholder: 'NAME',
  },
  {
    flag: 'ignore-eos',
    env: null,
    kind: 'boolean',
    default: true,
    unit: null,
    help: 'Ask for answers of exactly the planned length, as vLLM and SGLang can; --no-ignore-eos for servers that refuse the field.',
  },
];

const LIMITS: readonly OptionDefinition[] = [
  {
    flag: 'concurrency-limit',
    env: null,
    kind: 'integer',
    default: 1000,
    unit: 'requests',
    help: 'Requests open at once; further ones wait in the client, which is reported.',
    min: 1,
    max: 60_000,
  },
  {
    flag: 'timeout',
    env: null,
    kind: 'string',
    default: '10m',
    unit: null,
    help: 'Longest time for one answer, and for what is open after the last request.',
    placeholder: 'TIME',
  },
  textRow(
    'good',
    'TERMS',
    'What a good answer is, such as `ttft=1s,tpot=50ms,e2e=30s`, in place of the workload’s objective.',
  ),
];

/** Options of `penstock bench`. */
export const BENCH_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  ...TRAFFIC,
  ...REQUESTS,
  ...LIMITS,
  {
    flag: 'dry-run',
    env: null,
    kind: 'boolean',
    default: false,
    unit: null,
    help: 'Say what would be sent, and send nothing.',
  },
  textRow(
    'json',
    'FILE',
    'Write the results under inference-perf’s keys; `-` is standard output, in place of the table.',
  ),
  textRow('per-request', 'FILE', 'Write every request as JSON, under inference-perf’s keys.'),
  textRow('report', 'FILE', 'Write one self-contained HTML page with plots.'),
]);
