/** What stands in place of a secret or a prompt. */
export const REDACTED = '[redacted]';

/** Names of fields and headers whose value is a credential, lower case, without `-` and `_`. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'accesstoken',
  'apikey',
  'apitoken',
  'authorization',
  'bearertoken',
  'clientsecret',
  'cookie',
  'keypem',
  'passphrase',
  'password',
  'privatekey',
  'proxyauthorization',
  'secret',
  'setcookie',
  'token',
  'xapikey',
  'xgoogapikey',
]);

/** Names of fields that may hold what a user wrote or a model answered, same spelling rules. */
const CONTENT_NAMES: ReadonlySet<string> = new Set([
  'body',
  'choices',
  'completion',
  'content',
  'documents',
  'input',
  'instructions',
  'messages',
  'output',
  'prompt',
  'query',
  'system',
  'text',
  'tools',
]);

const USER_INFO = /(\/\/)[^/?#@\s]+@/g;
const PRIVATE_KEY_MARK = 'PRIVATE KEY-----';
const MAX_DEPTH = 6;
/** Names remembered per redactor; header names come from outside, so there is a bound. */
const MAX_VERDICTS = 1000;

/** Which names are hidden and how much of one string is kept. */
export interface RedactionPolicy {
  /** `secrets`: credentials only; `secrets-and-content`: also prompts and answers. */
  readonly hide: 'secrets' | 'secrets-and-content';
  /** Longest string kept, in UTF-16 units. */
  readonly maxTextLength: number;
  /** Most values copied; what comes after is left out. */
  readonly maxValues: number;
}

/** One copy under way: its policy and how many values it may still take. */
interface Walk {
  readonly policy: RedactionPolicy;
  readonly isHidden: (name: string) => boolean;
  left: number;
}

/** For log lines: credentials and content hidden, texts cut. */
export const LOG_REDACTION: RedactionPolicy = Object.freeze({
  hide: 'secrets-and-content',
  maxTextLength: 4096,
  maxValues: 1000,
});

/** For the configuration shown by the admin API: only credentials hidden. */
export const CONFIG_REDACTION: RedactionPolicy = Object.freeze({
  hide: 'secrets',
  maxTextLength: 65_536,
  maxValues: 200_000,
});

/**
 * A copy of `value` fit to be shown: named secrets replaced, user info taken out of URLs, depth,
 * length and number of values bounded. Numbers and booleans pass whatever their name, so that
 * `body: 1024` may be a size. Errors become plain objects with their causes.
 */
export function redact(value: unknown, policy: RedactionPolicy): unknown {
  return createRedactor(policy)(value);
}

/** `redact` under one policy for many values: what was decided about a name is remembered. */
export function createRedactor(policy: RedactionPolicy): (value: unknown) => unknown {
  const verdicts = new Map<string, boolean>();
  const isHidden = (name: string): boolean => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = mustHide(name, policy);
    if (verdicts.size < MAX_VERDICTS) verdicts.set(name, verdict);
    return verdict;
  };
  return (value) => copy(value, { policy, isHidden, left: policy.maxValues }, 0);
}

/** Whether a field or header of this name must never be shown under `policy`. */
function mustHide(name: string, policy: RedactionPolicy): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  if (SECRET_NAMES.has(plain)) return true;
  return policy.hide === 'secrets-and-content' && CONTENT_NAMES.has(plain);
}

function copy(value: unknown, walk: Walk, depth: number): unknown {
  walk.left -= 1;
  if (typeof value === 'string') return copyText(value, walk.policy);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[too deep]';
  if (value instanceof Error) return copyError(value, walk, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value;
  if (value instanceof Map || value instanceof Set) return copy([...value], walk, depth);
  if (Array.isArray(value)) return copyArray(value, walk, depth);
  return copyObject(value, walk, depth);
}

function copyText(text: string, policy: RedactionPolicy): string {
  if (text.includes(PRIVATE_KEY_MARK)) return REDACTED;
  const short =
    text.length > policy.maxTextLength ? `${text.slice(0, policy.maxTextLength)}…` : text;
  return short.includes('@') ? short.replace(USER_INFO, '$1') : short;
}

function copyArray(items: readonly unknown[], walk: Walk, depth: number): unknown[] {
  // A pair of name and value is how raw headers and maps look.
  const [name] = items;
  if (items.length === 2 && typeof name === 'string' && walk.isHidden(name)) {
    return [name, hide(items[1])];
  }
  const shown: unknown[] = [];
  for (const item of items) {
    if (walk.left <= 0) break;
    shown.push(copy(item, walk, depth + 1));
  }
  return shown;
}

function copyObject(value: object, walk: Walk, depth: number): unknown {
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    if (walk.left <= 0) break;
    shown[name] = walk.isHidden(name) ? hide(field) : copy(field, walk, depth + 1);
  }
  return shown;
}

function hide(value: unknown): unknown {
  if (value === undefined || value === null || value === '') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? value : REDACTED;
}

function copyError(error: Error, walk: Walk, depth: number): unknown {
  const { policy } = walk;
  const shown: Record<string, unknown> = {
    type: error.name,
    message: copyText(error.message, policy),
    stack: error.stack === undefined ? undefined : copyText(error.stack, policy),
  };
  if ('code' in error) shown['code'] = copy(error.code, walk, depth + 1);
  if (error.cause !== undefined) shown['cause'] = copy(error.cause, walk, depth + 1);
  return shown;
}
