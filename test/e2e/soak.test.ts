import assert from 'node:assert/strict';
import { Agent, createServer, request } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from './support/gateway.ts';
import { startGatewayProcess, type GatewayProcess } from './support/processes.ts';

/** Streams open at any time. */
const STREAMS = 1000;
const DURATION_MS = 60_000;
/** Chunks of every stream: one in half a second. */
const TICK_MS = 50;
const TICKS_PER_CHUNK = 10;
/** Half of the streams last as long as the test, the others make room for new ones all the time. */
const LONG_CHUNKS = (DURATION_MS / (TICK_MS * TICKS_PER_CHUNK)) | 0;
const SHORT_CHUNKS = 12;

const LAST_FRAMES =
  'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"soak","choices":[],' +
  '"usage":{"prompt_tokens":8,"completion_tokens":12,"total_tokens":20}}\n\ndata: [DONE]\n\n';

function frame(index: number): string {
  const choices = [{ index: 0, delta: { content: `token ${index} ` }, finish_reason: null }];
  const chunk = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'soak', choices };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

interface ServedStream {
  readonly response: ServerResponse;
  readonly phase: number;
  sent: number;
  readonly length: number;
}

/** A model server that costs next to nothing: one timer feeds all of its streams. */
async function startCheapServer(t: TestContext): Promise<string> {
  const streams = new Set<ServedStream>();
  let count = 0;
  let tick = 0;
  const timer = setInterval(() => {
    tick = (tick + 1) % TICKS_PER_CHUNK;
    for (const stream of streams) {
      if (stream.phase !== tick) continue;
      stream.sent += 1;
      stream.response.write(frame(stream.sent));
      if (stream.sent < stream.length) continue;
      streams.delete(stream);
      stream.response.end(LAST_FRAMES);
    }
  }, TICK_MS);
  const server = createServer((asked, response) => {
    if (asked.method !== 'POST') {
      const isList = asked.url === '/v1/models';
      response.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' });
      response.end(isList ? '{"object":"list","data":[{"id":"soak","object":"model"}]}' : '{}');
      return;
    }
    let body = '';
    asked.setEncoding('utf8').on('data', (text: string) => (body += text));
    asked.on('end', () => {
      const { max_tokens: length } = JSON.parse(body) as { max_tokens: number };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      count += 1;
      const stream = { response, phase: count % TICKS_PER_CHUNK, sent: 0, length };
      streams.add(stream);
      response.on('close', () => streams.delete(stream));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 2048, resolve));
  t.after(() => {
    clearInterval(timer);
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Reads one stream to its end; rejects unless every chunk and the end came. */
async function readStream(url: string, agent: Agent, chunks: number): Promise<void> {
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', agent });
  sent.end(
    JSON.stringify({
      model: 'soak',
      stream: true,
      max_tokens: chunks,
      messages: [{ role: 'user', content: 'Hello' }],
    }),
  );
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve).on('error', reject);
  });
  assert.equal(response.statusCode, 200);
  let lineEnds = 0;
  let tail = '';
  for await (const piece of response.setEncoding('utf8') as AsyncIterable<string>) {
    for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', at + 1)) lineEnds += 1;
    tail = (tail + piece).slice(-20);
  }
  // Every chunk and the end, two line ends each; the usage nobody asked for is taken out.
  assert.equal(lineEnds, 2 * (chunks + 1));
  assert.ok(tail.endsWith('data: [DONE]\n\n'), tail);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

async function residentBytes(gateway: GatewayProcess): Promise<number> {
  return (await gateway.metric('process_resident_memory_bytes')).get('') ?? 0;
}

test(`${STREAMS} streams for ${DURATION_MS / 1000} s leave memory flat and nothing booked`, async (t) => {
  const upstream = await startCheapServer(t);
  const gateway = await startGatewayProcess(t, ['--server', upstream, '--log-sample', '0']);
  const agent = new Agent({ keepAlive: true, maxSockets: STREAMS });
  t.after(() => agent.destroy());
  const endsAtMs = performance.now() + DURATION_MS;
  let completed = 0;
  const keepOpen = async (index: number): Promise<void> => {
    // Not all in the same millisecond: that would be a test of the system's accept queue.
    await sleep(index);
    const chunks = index % 2 === 0 ? LONG_CHUNKS : SHORT_CHUNKS;
    do {
      await readStream(gateway.url, agent, chunks);
      completed += 1;
    } while (performance.now() < endsAtMs);
  };
  const reading = Promise.all(Array.from({ length: STREAMS }, (_, index) => keepOpen(index)));

  const samples: number[] = [];
  let mostOpen = 0;
  const sampling = (async () => {
    while (performance.now() < endsAtMs - 1000) {
      await sleep(1000);
      samples.push(await residentBytes(gateway));
      mostOpen = Math.max(mostOpen, (await gateway.state()).openRequests);
    }
  })();
  await Promise.all([reading, sampling]);

  assert.ok(mostOpen >= STREAMS * 0.95, `at most ${mostOpen} were open at once`);
  assert.ok(completed > STREAMS * 2, `${completed} streams`);
  const half = samples.length >> 1;
  const third = median(samples.slice(half, half + (half >> 1)));
  const last = median(samples.slice(half + (half >> 1)));
  const megabytes = samples.map((bytes) => Math.round(bytes / 1e6)).join(' ');
  t.diagnostic(`${completed} streams; resident megabytes: ${megabytes}`);
  assert.ok(last < third * 1.1, `memory grows: ${megabytes}`);

  await waitUntil('no open request', async () => (await gateway.state()).openRequests === 0);
  for (const name of ['requests', 'tokens']) {
    const values = [...(await gateway.metric(`penstock_endpoint_${name}_in_flight`)).values()];
    assert.deepEqual(values, [0], name);
  }
  const outcomes = await gateway.metric('penstock_requests_total');
  for (const [labels, count] of outcomes) {
    assert.equal(count, labels.includes('outcome="completed"') ? completed : 0, labels);
  }
  gateway.process.signal('SIGTERM');
  assert.deepEqual(await gateway.process.ended, { code: 0, signal: null });
});
