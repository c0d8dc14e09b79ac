import { DEFAULT_RETRY_OPTIONS } from '../../director/director.ts';
import type { ClientLimits, UpstreamTimeouts } from '../../gateway/options.ts';
import { DEFAULT_HEALTH_OPTIONS } from '../../pool/health.ts';
import { DEFAULT_REPORT_OPTIONS } from '../../pool/report.ts';
import { DEFAULT_SCRAPE_POLICY } from '../../pool/scrape-interval.ts';
import { LOG_LEVELS } from '../../telemetry/log-level.ts';
import type {
  EjectionConfig,
  RecordingConfig,
  RetryConfig,
  ScrapeConfig,
  UsageCapture,
} from './config.ts';
import type { FileConfig, FileListener, FileListenerTls } from './file-config.ts';
import { SCHEDULING_SCHEMA } from './scheduling-schema.ts';
import { MODEL_SCHEMA, POOL_SCHEMA } from './pool-schema.ts';
import {
  choice,
  flag,
  integer,
  list,
  numberBetween,
  object,
  optional,
  required,
  section,
  text,
  untilNull,
  withDefault,
  type Typed,
} from './schema-node.ts';
import { DAY_MS, MEBIBYTE } from './units.ts';

const CAPTURES: readonly UsageCapture[] = ['always', 'when-asked'];

const listener = object<FileListener>({
  address: required(text('address'), 'Where to listen. Port 0 takes any free port.'),
  internal: withDefault(
    flag(),
    false,
    'Whether callers are trusted, so that the `x-penstock-*` request headers that only trusted callers may set are obeyed.',
  ),
  tls: optional(
    object<FileListenerTls>({
      certFile: required(text('path'), 'PEM file of the certificate, with its chain.'),
      keyFile: required(text('path'), 'PEM file of the private key.'),
    }),
    'Serve HTTPS with this certificate; without it, plain HTTP. Changed files are read again.',
  ),
});

const timeouts = object<UpstreamTimeouts>({
  connectMs: untilNull(
    integer(1, DAY_MS),
    2000,
    'Time to connect to a server, TLS included. Short, because another endpoint can be tried at once.',
  ),
  firstByteMs: untilNull(
    integer(1, DAY_MS),
    600_000,
    'Time from a sent request to the first byte of its answer. Ten minutes, as in the official OpenAI clients: an answer that is not streamed begins only when it is complete.',
  ),
  idleMs: untilNull(
    integer(1, DAY_MS),
    120_000,
    'Longest pause between two pieces of an answer. Two minutes: a busy engine may set a sequence aside for a while, a dead one must not hold a client for ever.',
  ),
  totalMs: untilNull(
    integer(1, DAY_MS),
    3_600_000,
    'Time from the request to the end of its answer. One hour is enough for 32,000 tokens at 10 a second.',
  ),
});

const retry = object<RetryConfig>({
  attempts: withDefault(
    integer(1, 10),
    DEFAULT_RETRY_OPTIONS.attempts,
    'Attempts for one request, the first included, each on another endpoint. 1 never retries.',
  ),
  budgetPercent: withDefault(
    integer(0, 100),
    100 * DEFAULT_RETRY_OPTIONS.budgetShare,
    'Retries as a percentage of recent requests. Bounds the extra load on a fleet that already fails. 0 never retries.',
  ),
  bufferBytes: withDefault(
    integer(0, 64 * MEBIBYTE),
    MEBIBYTE,
    'Request body bytes kept for another attempt; a longer body is sent once. 1 MiB holds about 250,000 tokens of prompt.',
  ),
});

const ejection = object<EjectionConfig>({
  consecutiveFailures: withDefault(
    integer(1, 1000),
    DEFAULT_HEALTH_OPTIONS.failureThreshold,
    'Failures in a row after which an endpoint is left out for a while.',
  ),
  baseMs: withDefault(
    integer(1, DAY_MS),
    DEFAULT_HEALTH_OPTIONS.ejectionBaseMs,
    'First pause before a single probing request; doubles with each failed probe.',
  ),
  maxMs: withDefault(
    integer(1, DAY_MS),
    DEFAULT_HEALTH_OPTIONS.ejectionMaxMs,
    'Longest pause. At least `baseMs`.',
  ),
});

const limits = object<ClientLimits>({
  bodyBytes: withDefault(
    integer(1, 4096 * MEBIBYTE),
    64 * MEBIBYTE,
    'Largest request body (413 above it). 64 MiB leaves room for images and audio.',
  ),
  headerBytes: withDefault(
    integer(1024, MEBIBYTE),
    16_384,
    'Largest request head, all header fields together (431 above it).',
  ),
  urlBytes: withDefault(
    integer(256, 65_536),
    8192,
    'Longest request target (414 above it). RFC 9110 asks for at least 8,000.',
  ),
  headMs: withDefault(
    integer(1, DAY_MS),
    15_000,
    'Time for a whole request head to arrive (408 above it).',
  ),
  bodyMs: withDefault(
    integer(1, DAY_MS),
    30_000,
    'Longest pause between two pieces of a request body (408 above it).',
  ),
  keepAliveMs: withDefault(
    integer(1, DAY_MS),
    75_000,
    'Time that an idle client connection stays open. Longer than the 60 seconds of most load balancers, so that it is they who close.',
  ),
  connections: withDefault(
    integer(1, 1_000_000),
    10_000,
    'Client connections open at once on one listener; more are closed at once.',
  ),
});

const scrape = object<ScrapeConfig>({
  fastMs: withDefault(
    integer(10, DAY_MS),
    DEFAULT_SCRAPE_POLICY.fastestMs,
    'Interval of reading an endpoint’s metrics while it has traffic and its load changes.',
  ),
  idleMs: withDefault(
    integer(10, DAY_MS),
    DEFAULT_SCRAPE_POLICY.slowestMs,
    'Interval for an endpoint without traffic. Below the 5 seconds after which uvicorn, under most engines, closes an idle connection. At least `fastMs`.',
  ),
  staleMs: withDefault(
    integer(10, DAY_MS),
    DEFAULT_REPORT_OPTIONS.staleAfterMs,
    'Age from which a report counts less and less. At least `idleMs`.',
  ),
  forgetMs: withDefault(
    integer(10, DAY_MS),
    DEFAULT_REPORT_OPTIONS.forgetAfterMs,
    'Age from which a report does not count at all and only what Penstock itself has sent does. At least `staleMs`.',
  ),
});

const recording = object<RecordingConfig>({
  path: optional(
    text('path'),
    'File to record to, one JSON line for each request; never a prompt. It is appended to; its folder must exist.',
  ),
  maxBytes: withDefault(
    integer(MEBIBYTE, 1024 * 1024 * MEBIBYTE),
    256 * MEBIBYTE,
    'Size from which the file is moved aside and another begun. 256 MiB hold about 600,000 requests with short prompts.',
  ),
  files: withDefault(
    integer(1, 1000),
    4,
    'Files kept, the one being written included: `trace.jsonl`, `trace.1.jsonl` and so on.',
  ),
});

/** Schema of `penstock.yaml`. */
export const CONFIG_SCHEMA: Typed<FileConfig> = object<FileConfig>({
  listeners: withDefault(
    list(listener, 1),
    [{ address: '127.0.0.1:8080', internal: false, tls: null }],
    'Where clients are served.',
  ),
  admin: section(
    object<FileConfig['admin']>({
      address: withDefault(
        text('address'),
        '127.0.0.1:9090',
        'Where health, metrics and the admin API are served. Open it to nobody who may not drain endpoints.',
      ),
    }),
    'The operator’s port.',
  ),
  servers: withDefault(
    list(text('url')),
    [],
    'Model servers that are asked what they serve and grouped into pools by their base model.',
  ),
  pools: withDefault(list(POOL_SCHEMA), [], 'Named sets of model servers.'),
  models: withDefault(
    list(MODEL_SCHEMA),
    [],
    'Names for clients, beside the names that the servers themselves report.',
  ),
  scheduling: section(SCHEDULING_SCHEMA, 'How the endpoint of a request is chosen.'),
  timeouts: section(timeouts, 'How long to wait for a model server. null waits without limit.'),
  retry: section(retry, 'Other attempts after a failure before the first byte of an answer.'),
  ejection: section(
    ejection,
    'When an endpoint is left out after failures. Never more than half of a pool is.',
  ),
  limits: section(limits, 'What one client may ask of the gateway.'),
  usage: section(
    object<FileConfig['usage']>({
      capture: withDefault(
        choice(CAPTURES),
        'always',
        '`always`: streams are asked for their token usage, and the extra frame is taken out again if the client did not ask. `when-asked`: usage is read only where the answer has it anyway.',
      ),
    }),
    'Counting of tokens.',
  ),
  headers: section(
    object<FileConfig['headers']>({
      endpoint: withDefault(flag(), true, 'Whether responses carry `x-penstock-endpoint`.'),
    }),
    'Headers that Penstock adds.',
  ),
  logging: section(
    object<FileConfig['logging']>({
      level: withDefault(
        choice(LOG_LEVELS),
        'info',
        'What to log: this and anything more serious; `off` logs nothing.',
      ),
      sampleRequests: withDefault(
        numberBetween(0, 1),
        1,
        'Share of successful requests that are logged. Failed ones always are; prompts never.',
      ),
    }),
    'The log, one JSON object a line on standard output.',
  ),
  drain: section(
    object<FileConfig['drain']>({
      timeoutMs: withDefault(
        integer(0, DAY_MS),
        25_000,
        'Time that open requests have to finish after a stop signal. Below the 30 seconds that Kubernetes waits before it kills.',
      ),
    }),
    'Stopping.',
  ),
  decisions: section(
    object<FileConfig['decisions']>({
      keep: withDefault(integer(0, 100_000), 1000, 'Latest decisions held for the admin API.'),
    }),
    'The record of which endpoint was chosen, and why.',
  ),
  scrape: section(scrape, 'Reading the servers’ metrics.'),
  recording: section(recording, 'Recording of traffic for replay.'),
});
