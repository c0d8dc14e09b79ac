import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import OpenAI from 'openai';
import {
  decodeRecordedRequest,
  decodeRecordingHeader,
} from '../../src/protocol/recording/decode.ts';
import type { RecordedRequest, RecordingHeader } from '../../src/protocol/recording/types.ts';
import { waitUntil } from './support/gateway.ts';
import {
  createFolder,
  type GatewayProcess,
  startEngineProcess,
  startGatewayProcess,
  startPenstock,
} from './support/processes.ts';
import { collect, rejectionOf } from './support/sdk.ts';

/** A sentence that no part of a recording may have. */
const SECRET = 'the wedding is on the ninth of May';
const SYSTEM = `You answer politely. ${'Remember that '.repeat(120)}${SECRET}.`;

interface Recording {
  readonly text: string;
  readonly headers: readonly RecordingHeader[];
  readonly requests: readonly RecordedRequest[];
  /** Lines that are neither. */
  readonly broken: readonly string[];
}

function readRecording(path: string): Recording {
  const text = readFileSync(path, 'utf8');
  const headers: RecordingHeader[] = [];
  const requests: RecordedRequest[] = [];
  const broken: string[] = [];
  for (const line of text.split('\n')) {
    const header = decodeRecordingHeader(line);
    const request = decodeRecordedRequest(line);
    if (header.ok) headers.push(header.value);
    else if (request.ok) requests.push(request.value);
    else if (line !== '') broken.push(line);
  }
  return { text, headers, requests, broken };
}

function clientFor(gateway: GatewayProcess, apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey, maxRetries: 0 });
}

interface World {
  readonly path: string;
  readonly gateway: GatewayProcess;
  readonly endpoint: string;
}

async function startWorld(t: TestContext, args: readonly string[] = []): Promise<World> {
  const path = join(await createFolder(t), 'trace.jsonl');
  const engine = await startEngineProcess(t, ['--model', 'llama', '--lora', 'sql']);
  const gateway = await startGatewayProcess(t, ['--server', engine.url, '--record', path, ...args]);
  return { path, gateway, endpoint: engine.id };
}

async function stop(gateway: GatewayProcess): Promise<void> {
  gateway.process.signal('SIGTERM');
  assert.deepEqual(await gateway.process.ended, { code: 0, signal: null });
}

function chat(user: string, model = 'llama'): OpenAI.ChatCompletionCreateParamsNonStreaming {
  const messages = [
    { role: 'system', content: SYSTEM },
    { role: 'user', content: user },
  ] as const;
  return { model, max_tokens: 12, messages: [...messages] };
}

test('every request that was sent is a line, and of what it said nothing is there', async (t) => {
  const { path, gateway, endpoint } = await startWorld(t);
  const startedAtMs = Date.now();
  const ada = clientFor(gateway, 'sk-ada-0001');
  const ben = clientFor(gateway, 'sk-ben-0002');
  const plain = await ada.chat.completions.create(chat('first question'));
  await collect(await ben.chat.completions.create({ ...chat('second'), stream: true }));
  await ada.chat.completions.create(chat('third', 'sql'));
  const long = { ...chat('fourth'), max_tokens: 4000, stream: true } as const;
  const stream = await ada.chat.completions.create(long);
  for await (const _ of stream) break;
  await rejectionOf(OpenAI.NotFoundError, ada.chat.completions.create(chat('fifth', SECRET)));
  await ada.embeddings.create({ model: 'llama', input: SECRET }).catch(() => null);
  await waitUntil('the end of the abort', async () => {
    const ended = [...(await gateway.metric('penstock_requests_total'))];
    return ended.some(([labels, count]) => labels.includes('client_closed') && count === 1);
  });
  await stop(gateway);

  const { text, headers, requests, broken } = readRecording(path);
  assert.deepEqual(broken, []);
  assert.equal(headers.length, 1);
  assert.equal(headers[0]!.part, 1);
  assert.ok(Math.abs(headers[0]!.startedAtMs - startedAtMs) < 30_000);
  const arrivals = requests.toSorted((one, two) => one.atMs - two.atMs);
  const [one, two, three, four, five, six] = arrivals;
  assert.equal(arrivals.length, 6);

  const usage = plain.usage!;
  assert.equal(one!.api, 'chat-completions');
  assert.equal(one!.model, 'llama');
  assert.equal(one!.adapter, null);
  assert.equal(one!.endpoint, endpoint);
  assert.equal(one!.stream, false);
  assert.equal(one!.promptTokens, usage.prompt_tokens);
  assert.equal(one!.outputTokens, usage.completion_tokens);
  assert.equal(one!.tokensFrom, 'usage');
  assert.equal(one!.maxTokens, 12);
  assert.equal(one!.ttftMs, null);
  assert.equal(one!.outcome, 'completed');
  assert.equal(one!.status, 200);
  assert.equal(one!.attempts, 1);

  assert.equal(two!.stream, true);
  assert.equal(two!.outputTokens, 12);
  assert.ok(two!.ttftMs !== null && two!.ttftMs <= two!.durationMs);
  assert.ok(two!.tpotMs !== null && two!.tpotMs > 0);
  assert.equal(three!.adapter, 'sql');
  assert.equal(three!.model, 'sql');
  assert.equal(four!.outcome, 'client_closed');
  assert.equal(four!.maxTokens, 4000);
  assert.equal(four!.outputTokens, null);
  assert.equal(four!.tokensFrom, 'estimate');
  const { model, pool, outcome, status, attempts, endpoint: none } = five!;
  assert.deepEqual(
    [model, pool, outcome, status, attempts, none],
    [null, null, 'rejected', 404, 0, null],
  );
  assert.equal(six!.api, 'embeddings');
  assert.deepEqual(six!.blocks, []);

  const tenants = arrivals.map(({ tenant }) => tenant);
  assert.equal(new Set(tenants).size, 2);
  assert.equal(tenants.filter((tenant) => tenant === tenants[0]).length, 5);
  // All five begin with the same words, whoever sent them and whichever model they were for.
  const prefix = Math.floor(SYSTEM.length / 256);
  for (const { blocks } of arrivals.slice(0, 5)) {
    assert.ok(blocks.length >= prefix && prefix > 5);
    assert.deepEqual(blocks.slice(0, prefix), one!.blocks.slice(0, prefix));
  }

  for (const word of [
    'wedding',
    'politely',
    'question',
    'Remember',
    'sk-ada',
    'sk-ben',
    'Bearer',
  ]) {
    assert.ok(!text.includes(word), word);
  }
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('another start goes on in the same file, and its hashes are others', async (t) => {
  const { path, gateway } = await startWorld(t);
  await clientFor(gateway, 'sk-1').chat.completions.create(chat('hello'));
  await stop(gateway);
  const engine = await startEngineProcess(t, ['--model', 'llama']);
  const again = await startGatewayProcess(t, ['--server', engine.url, '--record', path]);
  await clientFor(again, 'sk-1').chat.completions.create(chat('hello'));
  await stop(again);
  const { headers, requests, broken } = readRecording(path);
  assert.deepEqual(broken, []);
  assert.equal(new Set(headers.map(({ session }) => session)).size, 2);
  const [one, two] = requests;
  assert.notEqual(one!.tenant, two!.tenant);
  assert.equal(one!.blocks.length, two!.blocks.length);
  assert.notDeepEqual(one!.blocks, two!.blocks);
});

test('a process that is killed loses at most the last second', async (t) => {
  const { path, gateway } = await startWorld(t);
  const client = clientFor(gateway, 'sk-1');
  /** When the answers were complete, in order. */
  const endedAtMs: number[] = [];
  const send = async (): Promise<void> => {
    for (;;) {
      // It fails when the gateway is gone.
      const answer = await client.chat.completions.create(chat('hello')).catch(() => null);
      if (answer === null) return;
      endedAtMs.push(performance.now());
    }
  };
  const senders = Promise.all(Array.from({ length: 8 }, send));
  const firstAtMs = performance.now();
  await waitUntil('two seconds of traffic', () => performance.now() - firstAtMs > 2000);
  const killedAtMs = performance.now();
  gateway.process.signal('SIGKILL');
  await gateway.process.ended;
  await senders;
  const { requests, broken } = readRecording(path);
  const old = endedAtMs.filter((at) => at < killedAtMs - 1000).length;
  assert.ok(old > 0, 'there was traffic');
  assert.ok(requests.length >= old, `${requests.length} lines, ${old} older than a second`);
  assert.ok(broken.length <= 1);
});

test('a reload keeps recording; the file may say where', async (t) => {
  const folder = await createFolder(t);
  const engine = await startEngineProcess(t, ['--model', 'llama']);
  const config = join(folder, 'penstock.yaml');
  const path = join(folder, 'trace.jsonl');
  const text = `servers: ['${engine.url}']\nrecording: { path: trace.jsonl }\n`;
  await writeFile(config, text);
  const gateway = await startGatewayProcess(t, ['--config', config, '--no-watch']);
  const client = clientFor(gateway, 'sk-1');
  await client.chat.completions.create(chat('one'));
  await writeFile(config, `${text}retry: { attempts: 2 }\n`);
  gateway.process.signal('SIGHUP');
  await gateway.process.waitFor(/configuration reloaded/);
  await client.chat.completions.create(chat('two'));
  assert.doesNotMatch(gateway.process.output, /take effect at the next start/);
  const recorded = async (): Promise<number> =>
    [...(await gateway.metric('penstock_recorded_requests_total')).values()][0] ?? 0;
  await waitUntil('both in the file', async () => (await recorded()) === 2);
  await writeFile(config, `servers: ['${engine.url}']\n`);
  gateway.process.signal('SIGHUP');
  await gateway.process.waitFor(/take effect at the next start/);
  await client.chat.completions.create(chat('three'));
  await stop(gateway);
  const { headers, requests } = readRecording(path);
  assert.equal(headers.length, 1);
  assert.equal(requests.length, 3);
});

test('a file that cannot be written ends the start with the way out', async (t) => {
  const folder = await createFolder(t);
  const start = async (path: string): Promise<string> => {
    const args = ['--demo', '1', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'];
    const up = startPenstock(t, ['up', ...args, '--record', path]);
    assert.equal((await up.ended).code, 1);
    return up.errors;
  };
  const missing = join(folder, 'no', 'trace.jsonl');
  assert.equal(
    await start(missing),
    `penstock up: cannot record to ${missing}: its folder does not exist; create it first\n`,
  );
  const other = join(folder, 'notes.txt');
  await writeFile(other, 'keep me\n');
  assert.match(await start(other), /exists and is not a recording; choose another path/);
  assert.equal(readFileSync(other, 'utf8'), 'keep me\n');
});
