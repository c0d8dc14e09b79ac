import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { findApi } from './api-table.ts';
import { encodeErrorBody, encodeStreamError, type WireError } from './error-body.ts';
import { ANTHROPIC_MESSAGES, RESPONSES, VLLM_CHAT } from './testing/streams.ts';

const ERROR: WireError = {
  code: 'upstream_interrupted',
  message: 'The endpoint failed “here”.',
  param: null,
  requestId: 'req-1',
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** Serves one answer to every request while `use` runs. */
async function withServer(answer: Answer, use: (url: string) => Promise<void>): Promise<void> {
  const server: Server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, { 'content-type': answer.type, connection: 'close' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function brokenStream(stream: string, path: string): Answer {
  const begin = Buffer.from(stream.slice(0, stream.indexOf('\n\n') + 2));
  const frame = encodeStreamError(findApi(path)!, ERROR);
  return { status: 200, type: 'text/event-stream', body: Buffer.concat([begin, frame]) };
}

function openAi(url: string): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 });
}

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const event of stream) count += event === undefined ? 0 : 1;
  return count;
}

function isInterruption(error: unknown): boolean {
  assert.ok(error instanceof OpenAI.APIError);
  assert.equal(error.code, 'upstream_interrupted');
  assert.match(error.message, /The endpoint failed “here”/);
  return true;
}

test('a chat stream that ends in an error frame makes the SDK raise', async () => {
  await withServer(brokenStream(VLLM_CHAT, '/v1/chat/completions'), async (url) => {
    const stream = await openAi(url).chat.completions.create({
      model: 'm',
      messages: [],
      stream: true,
    });
    await assert.rejects(drain(stream), isInterruption);
  });
});

test('a completions stream that ends in an error frame makes the SDK raise', async () => {
  await withServer(brokenStream(VLLM_CHAT, '/v1/completions'), async (url) => {
    const stream = await openAi(url).completions.create({ model: 'm', prompt: '', stream: true });
    await assert.rejects(drain(stream), isInterruption);
  });
});

test('a Responses stream that ends in an error event makes the SDK raise', async () => {
  await withServer(brokenStream(RESPONSES, '/v1/responses'), async (url) => {
    const stream = await openAi(url).responses.create({ model: 'm', input: '', stream: true });
    await assert.rejects(drain(stream), isInterruption);
  });
});

test('a messages stream that ends in an error event makes the SDK raise', async () => {
  await withServer(brokenStream(ANTHROPIC_MESSAGES, '/v1/messages'), async (url) => {
    const client = new Anthropic({ baseURL: url, apiKey: 'k', maxRetries: 0 });
    const stream = await client.messages.create({
      model: 'm',
      max_tokens: 1,
      messages: [],
      stream: true,
    });
    await assert.rejects(drain(stream), (error: unknown) => {
      assert.ok(error instanceof Anthropic.APIError);
      assert.match(error.message, /The endpoint failed “here”/);
      assert.match(error.message, /api_error/);
      return true;
    });
  });
});

test('stream errors of chat have no [DONE] and no event name', () => {
  const frame = encodeStreamError(findApi('/v1/chat/completions')!, ERROR).toString();
  assert.match(frame, /^data: \{"error":.*\}\n\n$/);
  assert.doesNotMatch(frame, /DONE|event:/);
});

test('the Responses error event lies flat', () => {
  const frame = encodeStreamError(findApi('/v1/responses')!, ERROR).toString();
  const [event, data] = frame.split('\n');
  assert.equal(event, 'event: error');
  assert.deepEqual(JSON.parse(data!.slice('data: '.length)), {
    type: 'error',
    code: 'upstream_interrupted',
    message: ERROR.message,
    param: null,
    sequence_number: 0,
  });
});

test('every error has an OpenAI body with its type and code', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const body = encodeErrorBody('openai', { code, message: 'm', param: 'model', requestId: 'r' });
    assert.deepEqual(JSON.parse(body.toString()), {
      error: { message: 'm', type: ERRORS[code].type, param: 'model', code },
    });
  }
});

test('every error has an Anthropic body with the type of its status', () => {
  const types: Partial<Record<ErrorCode, string>> = {
    invalid_json: 'invalid_request_error',
    model_not_found: 'not_found_error',
    body_too_large: 'request_too_large',
    no_endpoint: 'overloaded_error',
    upstream_timeout: 'timeout_error',
    internal: 'api_error',
    upstream_reset: 'api_error',
    method_not_allowed: 'invalid_request_error',
  };
  for (const [code, type] of Object.entries(types)) {
    const error: WireError = { code: code as ErrorCode, message: 'm', param: null, requestId: 'r' };
    assert.deepEqual(JSON.parse(encodeErrorBody('anthropic', error).toString()), {
      type: 'error',
      error: { type, message: 'm' },
      request_id: 'r',
    });
  }
});

test('an error body makes the SDKs raise with its message', async () => {
  const error: WireError = {
    code: 'model_not_found',
    message: 'No model x.',
    param: 'model',
    requestId: 'r',
  };
  const answer = (family: 'openai' | 'anthropic'): Answer => ({
    status: 404,
    type: 'application/json',
    body: encodeErrorBody(family, error),
  });
  await withServer(answer('openai'), async (url) => {
    const call = openAi(url).chat.completions.create({ model: 'x', messages: [] });
    await assert.rejects(call, (raised: unknown) => {
      assert.ok(raised instanceof OpenAI.NotFoundError);
      assert.equal(raised.code, 'model_not_found');
      assert.equal(raised.param, 'model');
      return true;
    });
  });
  await withServer(answer('anthropic'), async (url) => {
    const client = new Anthropic({ baseURL: url, apiKey: 'k', maxRetries: 0 });
    const call = client.messages.create({ model: 'x', max_tokens: 1, messages: [] });
    await assert.rejects(call, (raised: unknown) => raised instanceof Anthropic.NotFoundError);
  });
});
