import type { OptionDefinition } from './options.ts';
import { LOG_LEVELS } from '../telemetry/log-level.ts';

/** Model servers that a bare `--demo` starts. */
const DEMO_SERVERS = 3;

/**
 * Options of `penstock up`. Defaults that the configuration file may set are those of its schema.
 */
export const UP_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  {
    flag: 'server',
    env: 'PENSTOCK_SERVER',
    kind: 'list',
    default: [],
    unit: null,
    help: 'Model server to put the gateway in front of; what it serves is found out. Added to those of the file.',
    placeholder: 'URL',
  },
  {
    flag: 'config',
    env: 'PENSTOCK_CONFIG',
    kind: 'string',
    default: null,
    unit: null,
    help: 'Configuration file, in YAML.',
    placeholder: 'FILE',
  },
  {
    flag: 'watch',
    env: 'PENSTOCK_WATCH',
    kind: 'boolean',
    default: true,
    unit: null,
    help: 'Load the configuration again when its file changes. SIGHUP always does.',
  },
  {
    flag: 'listen',
    env: 'PENSTOCK_LISTEN',
    kind: 'string',
    default: '127.0.0.1:8080',
    unit: null,
    help: 'Where clients are served; takes the place of the first listener’s address in the file.',
    placeholder: 'HOST:PORT',
  },
  {
    flag: 'admin',
    env: 'PENSTOCK_ADMIN',
    kind: 'string',
    default: '127.0.0.1:9090',
    unit: null,
    help: 'Where health, metrics and the admin API are served.',
    placeholder: 'HOST:PORT',
  },
  {
    flag: 'demo',
    env: 'PENSTOCK_DEMO',
    kind: 'integer',
    default: null,
    unit: null,
    help: 'Start this many built-in simulated model servers and serve them too.',
    placeholder: 'COUNT',
    min: 1,
    max: 64,
    bareValue: DEMO_SERVERS,
  },
  {
    flag: 'log-level',
    env: 'PENSTOCK_LOG_LEVEL',
    kind: 'choice',
    default: 'info',
    unit: null,
    help: 'What to log: this and anything more serious.',
    choices: LOG_LEVELS,
  },
  {
    flag: 'log-sample',
    env: 'PENSTOCK_LOG_SAMPLE',
    kind: 'number',
    default: 1,
    unit: null,
    help: 'Share of successful requests that are logged, 0 to 1.',
    placeholder: 'SHARE',
    min: 0,
    max: 1,
  },
  {
    flag: 'drain-timeout-ms',
    env: 'PENSTOCK_DRAIN_TIMEOUT_MS',
    kind: 'integer',
    default: 25_000,
    unit: 'ms',
    help: 'Time that open requests have to finish after a stop signal.',
    placeholder: 'MS',
    min: 0,
    max: 86_400_000,
  },
]);
