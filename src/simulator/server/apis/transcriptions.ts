import type { PromptDigest } from '../../engine/prompt-digest.ts';
import { runAnswer, type StreamEncoder, type UsageReader } from '../answer.ts';
import { createPromptHasher } from '../chat-prompt.ts';
import type { Exchange } from '../exchange.ts';
import type { GenerationUsage } from '../generation.ts';
import { badRequest, modelNotFound, sendOpenAiError, type EngineHost } from '../host.ts';
import { planAnswer } from '../sampling.ts';

// One audio token for every so many bytes of the file, whatever its format.
const BYTES_PER_AUDIO_TOKEN = 640;

/** Answers `POST /v1/audio/transcriptions` (multipart): a text that the file's bytes decide. */
export async function handleTranscriptions(exchange: Exchange, host: EngineHost): Promise<void> {
  const form = await readForm(exchange);
  const file = form?.get('file');
  if (form === null || !(file instanceof Blob)) {
    sendOpenAiError(exchange, badRequest('a multipart body with a file is required', 'file'));
    return;
  }
  const model = textField(form, 'model');
  const resolved = host.served.resolve(model);
  if (resolved === null) {
    sendOpenAiError(exchange, modelNotFound(model ?? ''));
    return;
  }
  const bytes = Buffer.from(await file.arrayBuffer());
  await exchange.pause(exchange.fault.stallFirstByteMs);
  if (!exchange.isOpen) return;
  const { adapter } = resolved;
  const prompt = audioDigest(host, bytes, adapter);
  const maxTokens = host.model.contextTokens - prompt.tokens;
  const output = planAnswer(host, {}, { prompt, index: 0, maxTokens, tool: null });
  const format = textField(form, 'response_format') ?? 'json';
  runAnswer(exchange, host, {
    choices: [{ prompt, output, adapter }],
    isStream: textField(form, 'stream') === 'true',
    countedPrompts: 'first',
    sendError: sendOpenAiError,
    createStream: (usage) => new TranscriptionStream(usage),
    createBody: ([result], usage) => ({
      text: result?.text ?? '',
      ...(format === 'verbose_json' ? { task: 'transcribe', language: 'en', segments: [] } : {}),
      usage: audioUsage(usage),
    }),
  });
}

async function readForm(exchange: Exchange): Promise<FormData | null> {
  const body = await exchange.readBody();
  if (body === null) return null;
  const headers = { 'content-type': exchange.header('content-type') ?? '' };
  try {
    return await new Response(new Uint8Array(body), { headers }).formData();
  } catch {
    // Not multipart, or broken: the caller answers with what it expected.
    return null;
  }
}

function textField(form: FormData, name: string): string | null {
  const value = form.get(name);
  return typeof value === 'string' ? value : null;
}

function audioDigest(host: EngineHost, bytes: Buffer, adapter: string | null): PromptDigest {
  const hasher = createPromptHasher(host.model.options.blockSizeTokens, adapter, {});
  for (let start = 0; start < bytes.length; start += BYTES_PER_AUDIO_TOKEN) {
    let id = 0;
    const end = Math.min(bytes.length, start + BYTES_PER_AUDIO_TOKEN);
    for (let at = start; at < end; at += 1) id = (Math.imul(id, 31) + (bytes[at] as number)) | 0;
    hasher.add(id >>> 0);
  }
  if (bytes.length === 0) hasher.add(0);
  return hasher.digest();
}

function audioUsage(usage: GenerationUsage): object {
  return {
    type: 'tokens',
    input_tokens: usage.promptTokens,
    output_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
  };
}

class TranscriptionStream implements StreamEncoder {
  readonly #usage: UsageReader;
  #text = '';

  constructor(usage: UsageReader) {
    this.#usage = usage;
  }

  begin(): readonly string[] {
    return [];
  }

  text(_index: number, text: string): string {
    this.#text += text;
    return `data: ${JSON.stringify({ type: 'transcript.text.delta', delta: text })}\n\n`;
  }

  finish(): readonly string[] {
    const usage = audioUsage(this.#usage());
    const done = { type: 'transcript.text.done', text: this.#text, usage };
    return [`data: ${JSON.stringify(done)}\n\n`];
  }

  end(): readonly string[] {
    return ['data: [DONE]\n\n'];
  }
}
