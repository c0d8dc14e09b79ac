import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { serversLine, startReplicas } from './support/engines.ts';
import type { TestGateway } from './support/gateway.ts';
import { startGateway } from './support/gateway.ts';

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const run = promisify(execFile);

async function startWorld(t: TestContext): Promise<TestGateway> {
  return startGateway(t, serversLine(await startReplicas(t, 2)));
}

async function explain(gateway: TestGateway, ...args: string[]) {
  return run(process.execPath, [MAIN, 'explain', ...args, '--admin', gateway.adminUrl]);
}

async function chat(gateway: TestGateway, content: string): Promise<string> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'chat-model',
      max_tokens: 4,
      messages: [{ role: 'user', content }],
    }),
  });
  assert.equal(response.status, 200);
  await response.text();
  return response.headers.get('x-request-id')!;
}

test('explain tells of one request: what was asked, what was weighed, how it ended', async (t) => {
  const gateway = await startWorld(t);
  const requestId = await chat(gateway, 'a question that nobody must find in any explanation');
  const { stdout } = await explain(gateway, requestId);
  assert.match(stdout, new RegExp(requestId));
  assert.match(stdout, /chat-model -> chat-model in pool chat-model, tier 0/);
  assert.match(stdout, /2 serve it, 2 available/);
  assert.match(stdout, /attempt {4}127\.0\.0\.1:\d+: answered after/);
  assert.match(stdout, /outcome {4}completed, status 200/);
  assert.ok(!stdout.includes('nobody must find'));
});

test('a dry run names the endpoint that would be used, and sends and books nothing', async (t) => {
  const gateway = await startWorld(t);
  const folder = await mkdtemp(join(tmpdir(), 'penstock-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'request.json');
  await writeFile(file, '{"model":"chat-model","messages":[{"role":"user","content":"hi"}]}');
  const { stdout } = await explain(gateway, '--dry-run', file);
  assert.match(stdout, /dry-run/);
  assert.match(stdout, /not ended yet/);
  assert.deepEqual(await gateway.decisions(), []);
  const { endpoints } = await gateway.state();
  for (const { inFlight } of endpoints) assert.equal(inFlight.requests, 0);

  await writeFile(file, '{"model":"chat-modle"}');
  await assert.rejects(explain(gateway, '--dry-run', file), (error: { stderr: string }) => {
    assert.match(error.stderr, /Did you mean "chat-model"\?/);
    return true;
  });
});

test('what cannot be explained is said with the way out', async (t) => {
  const gateway = await startWorld(t);
  const failures: [string[], RegExp][] = [
    [['never-seen'], /No kept decision has this request id/],
    [[], /give one of REQUEST-ID, --dry-run FILE and --shadow/],
    [['a', '--shadow'], /give one of/],
    [['--dry-run', '/nowhere/request.json'], /cannot be read/],
  ];
  for (const [args, message] of failures) {
    await assert.rejects(explain(gateway, ...args), (error: { stderr: string }) => {
      assert.match(error.stderr, message);
      return true;
    });
  }
  await assert.rejects(
    run(process.execPath, [MAIN, 'explain', 'x', '--admin', 'http://127.0.0.1:9']),
    /no admin API at http:\/\/127\.0\.0\.1:9/,
  );
});

test('a trusted caller that asks gets the reason with the answer, others do not', async (t) => {
  const gateway = await startWorld(t);
  const ask = async (): Promise<string | null> => {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-penstock-why': '1' },
      body: '{"model":"chat-model","max_tokens":2,"messages":[{"role":"user","content":"hi"}]}',
    });
    await response.text();
    return response.headers.get('x-penstock-why');
  };
  assert.equal(await ask(), null);
  const servers = gateway.service.config.servers.join(', ');
  assert.ok(
    await gateway.reload(
      `listeners: [{ address: "127.0.0.1:8080", internal: true }]\nservers: [${servers}]\n`,
    ),
  );
  assert.match(
    (await ask()) ?? '',
    /endpoint=127\.0\.0\.1:\d+; rank=1\/2; candidates=2\/2; score=/,
  );
});

test('an objective in a header reaches the decision, and a malformed one is refused by its name', async (t) => {
  const gateway = await startWorld(t);
  const ask = (objective: string): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'x-llm-d-slo-ttft-ms': objective },
      body: '{"model":"chat-model","max_tokens":2,"messages":[{"role":"user","content":"hi"}]}',
    });
  const good = await ask('250');
  assert.equal(good.status, 200);
  await good.text();
  const [decision] = await gateway.decisions();
  assert.deepEqual(decision!.objective, { ttftMs: 250, tpotMs: null });

  const bad = await ask('soon');
  assert.equal(bad.status, 400);
  const { error } = (await bad.json()) as { error: { code: string; message: string } };
  assert.equal(error.code, 'invalid_header');
  assert.match(error.message, /x-llm-d-slo-ttft-ms/);
});

test('a shadow policy chooses too, routes nothing, and is compared', async (t) => {
  const gateway = await startWorld(t);
  const servers = gateway.service.config.servers.join(', ');
  assert.ok(await gateway.reload(`servers: [${servers}]\nscheduling: { shadow: round-robin }\n`));
  for (let i = 0; i < 6; i += 1) await chat(gateway, `question ${i}`);
  const { stdout } = await explain(gateway, '--shadow');
  assert.match(stdout, /shadow policy round-robin over the last 6 decisions/);
  const open = (await gateway.state()).endpoints.map(({ inFlight }) => inFlight.requests);
  assert.deepEqual(open, [0, 0]);
});
