import type { ApiDefinition } from '../api-table.ts';
import { BytePatterns } from '../json/byte-patterns.ts';
import { parseJson } from '../json/parse-json.ts';

type StreamEnd = ApiDefinition['streamEnd'];

/**
 * Texts without which no frame is of interest: the usage key, and what the last frame must contain.
 * That one of them occurs says only that the frames must be looked at.
 */
const TRIGGERS: Readonly<Record<StreamEnd, BytePatterns>> = {
  'done-line': new BytePatterns(['"usage"', '[DONE]']),
  message_stop: new BytePatterns(['"usage"', 'message_stop', 'error']),
  'response-event': new BytePatterns(['"usage"', 'omplete', 'failed', 'error']),
  none: new BytePatterns(['"usage"', '[DONE]']),
};

/** Events that end a stream; an `error` event does so too, as the engine sends nothing after it. */
const LAST_EVENTS: Readonly<Record<StreamEnd, ReadonlySet<string>>> = {
  'done-line': new Set(),
  message_stop: new Set(['message_stop', 'error']),
  'response-event': new Set([
    'response.completed',
    'response.incomplete',
    'response.failed',
    'error',
  ]),
  none: new Set(),
};

const DONE = '[DONE]';

/** OpenAI ends a transcription with a named event, vLLM with `[DONE]`. */
const TRANSCRIPT_END = 'transcript.text.done';
const TRANSCRIPT_TRIGGERS = new BytePatterns(['"usage"', DONE, TRANSCRIPT_END]);

/** The texts that make a chunk worth splitting into frames. */
export function triggersFor(api: ApiDefinition): BytePatterns {
  return api.id === 'transcriptions' ? TRANSCRIPT_TRIGGERS : TRIGGERS[api.streamEnd];
}

/**
 * Whether a frame is the last of the API's streams; APIs without a rule of their own may use
 * `[DONE]`.
 */
export function isLastFrame(api: ApiDefinition, event: string | null, data: Buffer): boolean {
  if (api.id === 'transcriptions' && typeOf(data) === TRANSCRIPT_END) return true;
  if (api.streamEnd === 'done-line' || api.streamEnd === 'none') {
    return data.length < DONE.length + 3 && data.toString('latin1').trim() === DONE;
  }
  return LAST_EVENTS[api.streamEnd].has(event ?? typeOf(data));
}

/** Engines that send no `event` line still name the event in its data. */
function typeOf(data: Buffer): string {
  const value = parseJson(data.toString('utf8'));
  const isObject = typeof value === 'object' && value !== null;
  return isObject && 'type' in value && typeof value.type === 'string' ? value.type : '';
}
