import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { FaultInjector, NO_FAULTS, parseFaults } from './faults.ts';
import type { EngineServer } from './server.ts';
import { chat, eventually, post, startEngine } from './testing/engine-fixture.ts';

const CHAT = '/v1/chat/completions';

/** Reads a stream to its end; says how many frames came and whether it ended well. */
async function readStream(server: EngineServer): Promise<{ frames: number; isWhole: boolean }> {
  const response = await fetch(server.url + CHAT, {
    method: 'POST',
    body: JSON.stringify(chat('hi', { stream: true, max_tokens: 20 })),
  });
  assert.equal(response.status, 200);
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk).toString('utf8');
  } catch {
    return { frames: text.split('\n\n').length - 1, isWhole: false };
  }
  return { frames: text.split('\n\n').length - 1, isWhole: text.endsWith('data: [DONE]\n\n') };
}

function connectTo(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy();
      resolve('connected');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? 'error');
    });
  });
}

describe('injected failures', () => {
  it('fails the next requests by count, with a body of one’s own', async (t) => {
    const server = await startEngine(t);
    const changes = { errorCount: 2, errorStatus: 502, errorBody: '{"oops":true}' };
    assert.equal((await post(server, '/admin/failures', changes)).status, 200);
    const answers = [];
    for (let index = 0; index < 3; index += 1) {
      answers.push(await post(server, CHAT, chat('hi', { max_tokens: 1 })));
    }
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [502, 502, 200],
    );
    assert.equal(answers[0]?.text, '{"oops":true}');
    assert.equal((await fetch(`${server.url}/v1/models`)).status, 200);
  });

  it('cuts a stream after so many frames, for so many requests', async (t) => {
    const server = await startEngine(t, { faults: { cutAfterChunks: 4, faultCount: 1 } });
    assert.deepEqual(await readStream(server), { frames: 4, isWhole: false });
    await eventually(() => server.model.running === 0, 'the cut generation is dropped');
    const { isWhole } = await readStream(server);
    assert.equal(isWhole, true);
  });

  it('cuts a stream right after its head', async (t) => {
    const server = await startEngine(t, { faults: { cutAfterChunks: 0 } });
    assert.deepEqual(await readStream(server), { frames: 0, isWhole: false });
  });

  it('cuts a JSON body in its middle', async (t) => {
    const server = await startEngine(t, { faults: { cutAfterChunks: 1 } });
    await assert.rejects(post(server, CHAT, chat('hi')));
  });

  it('stalls in the middle of a stream and then goes on to its end', async (t) => {
    const server = await startEngine(t, { faults: { stallAfterChunks: 3, stallMs: 30 } });
    const { frames, isWhole } = await readStream(server);
    assert.equal(isWhole, true);
    assert.equal(frames, 23);
  });

  it('stays silent before the first byte until the client gives up', async (t) => {
    const server = await startEngine(t, { faults: { stallFirstByteMs: 60_000 } });
    const signal = AbortSignal.timeout(50);
    const body = JSON.stringify(chat('hi'));
    await assert.rejects(fetch(server.url + CHAT, { method: 'POST', body, signal }));
    assert.equal(server.model.running + server.model.waiting, 0);
  });

  it('refuses connections for a while and then listens on the same port again', async (t) => {
    const server = await startEngine(t);
    server.injectFaults({ refuseMs: 60_000 });
    assert.equal(await connectTo(server.port), 'ECONNREFUSED');
    server.injectFaults({ refuseMs: 0 });
    const isBack = async (): Promise<boolean> => (await connectTo(server.port)) === 'connected';
    let tries = 0;
    while (!(await isBack()) && tries < 100) tries += 1;
    assert.ok(tries < 100);
  });

  it('starts slowly: 503 everywhere but on the admin path', async (t) => {
    const server = await startEngine(t, { faults: { slowStartMs: 60_000 } });
    assert.equal((await fetch(`${server.url}/health`)).status, 503);
    assert.equal((await post(server, CHAT, chat('hi'))).status, 503);
    assert.equal((await post(server, '/admin/failures', { slowStartMs: 0 })).status, 200);
    assert.equal((await fetch(`${server.url}/health`)).status, 200);
  });

  it('refuses settings that do not exist or make no sense', async (t) => {
    const server = await startEngine(t);
    for (const body of [{ nope: 1 }, { errorRate: 'x' }, { errorStatus: 200 }, { stallMs: null }]) {
      assert.equal((await post(server, '/admin/failures', body)).status, 400);
    }
    const settings = await (await fetch(`${server.url}/admin/failures`)).json();
    assert.deepEqual(settings, NO_FAULTS);
    assert.deepEqual(parseFaults({ cutAfterChunks: null }), { cutAfterChunks: null });
  });
});

it('deals errors out at the given rate', () => {
  const injector = new FaultInjector({ ...NO_FAULTS, errorRate: 0.25 }, createRng(1));
  let errors = 0;
  for (let count = 0; count < 4000; count += 1) if (injector.next().error !== null) errors += 1;
  assert.ok(errors > 850 && errors < 1150, String(errors));
});

it('closes while streams are open, twice without harm', async (t) => {
  const server = await startEngine(t, { speed: 1 });
  const open = readStream(server);
  await eventually(() => server.model.running === 1, 'it runs');
  await Promise.all([server.close(), server.close()]);
  assert.equal((await open).isWhole, false);
  assert.equal(await connectTo(server.port), 'ECONNREFUSED');
});
