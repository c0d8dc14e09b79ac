import type { OptionDefinition } from './options.ts';

/** Options of `penstock explain`. */
export const EXPLAIN_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  {
    flag: 'admin',
    env: 'PENSTOCK_ADMIN_URL',
    kind: 'string',
    default: 'http://127.0.0.1:9090',
    unit: null,
    help: 'Admin port of the running gateway.',
    placeholder: 'URL',
  },
  {
    flag: 'dry-run',
    env: null,
    kind: 'string',
    default: null,
    unit: null,
    help: 'File with a request body: say where it would go now, without sending it.',
    placeholder: 'FILE',
  },
  {
    flag: 'path',
    env: null,
    kind: 'string',
    default: '/v1/chat/completions',
    unit: null,
    help: 'With --dry-run: the path that the body is for.',
    placeholder: 'PATH',
  },
  {
    flag: 'shadow',
    env: null,
    kind: 'boolean',
    default: false,
    unit: null,
    help: 'Compare the shadow policy with what was done, over the decisions that are kept.',
  },
  {
    flag: 'json',
    env: null,
    kind: 'boolean',
    default: false,
    unit: null,
    help: 'Print the admin API’s answer as it is.',
  },
]);
