import { isJsonObject } from '../server/json-value.ts';

/** Why a request of a load run failed. */
export type LoadFailure =
  /** Answered with something else than a stream of events. */
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  | { readonly kind: 'timeout'; readonly message: string }
  /** No connection, or it broke. */
  | { readonly kind: 'connection'; readonly message: string }
  /** The stream itself says that it failed, or it ended early. */
  | { readonly kind: 'stream'; readonly message: string };

/** Statuses that say enough by themselves, under inference-perf's names. */
const STATUS_LABELS: ReadonlyMap<number, string> = new Map([
  [429, 'Rate Limit'],
  [500, 'Internal Server Error'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
]);

/** What a message tells about other statuses, under inference-perf's names; the first counts. */
const MESSAGE_LABELS: readonly (readonly [pattern: RegExp, label: string])[] = Object.freeze([
  [
    /context[ _-](window|length)|maximum context|max[ _-]?tokens|token[ _-]?limit/i,
    'Context Window',
  ],
  [/(invalid|malformed) ?json|json.?parse|unexpected token|unterminated string/i, 'Invalid JSON'],
  [/time(d )?-?out/i, 'Timeout'],
  [/model.{0,80}(not found|does not exist)|no such model/i, 'Model Not Found'],
  [/not an event stream/, 'not an event stream'],
]);

/** Name of a failure's kind, such as `503 - Service Unavailable`, as inference-perf forms it. */
export function failureLabel(failure: LoadFailure): string {
  switch (failure.kind) {
    case 'timeout':
      return 'Timeout';
    case 'connection':
      return 'Connection Error';
    case 'stream':
      return 'Interrupted Stream';
    case 'status': {
      const { status, message } = failure;
      const byMessage = MESSAGE_LABELS.find(([pattern]) => pattern.test(message))?.[1];
      return `${status} - ${STATUS_LABELS.get(status) ?? byMessage ?? 'other'}`;
    }
  }
}

/** Longest message that is kept. */
const MAX_MESSAGE_CHARACTERS = 300;

/** The message inside an error's body, in OpenAI's or a similar shape; else the body's start. */
export function errorMessageOf(body: string): string {
  return clip(innerMessage(body) ?? body.trim());
}

function innerMessage(body: string): string | null {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return null;
  }
  if (!isJsonObject(json)) return null;
  const error = json['error'] ?? json;
  if (typeof error === 'string') return error;
  const message = isJsonObject(error) ? (error['message'] ?? error['detail']) : undefined;
  return typeof message === 'string' ? message : null;
}

/** Shortens a message to what a report keeps. */
export function clip(text: string): string {
  if (text.length <= MAX_MESSAGE_CHARACTERS) return text;
  return `${text.slice(0, MAX_MESSAGE_CHARACTERS)}…`;
}
