import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createRng } from '../../core/rng.ts';
import type { RunResult } from '../../simulator/lab/results.ts';
import { parseMeasuredReport } from '../../simulator/load/parse-measured-report.ts';
import { createEngineServer, type EngineServer } from '../../simulator/server/server.ts';
import { COMMANDS } from '../command-list.ts';
import { EXIT_CODES } from '../command.ts';
import { runProgram } from '../program.ts';
import { createSystemClock } from '../system-clock.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs `penstock bench` with arguments that are separated by single spaces. */
function run(line: string): Promise<Ran> {
  return runCommand(`bench ${line}`);
}

async function runCommand(line: string): Promise<Ran> {
  let out = '';
  let error = '';
  const code = await runProgram(
    COMMANDS,
    { args: line.split(' '), env: {} },
    {
      version: '0.0.0',
      writeOut: (text) => {
        out += text;
      },
      writeError: (text) => {
        error += text;
      },
      onSignal: () => () => undefined,
    },
  );
  return { code, out, error };
}

async function startEngine(context: TestContext): Promise<EngineServer> {
  const server = await createEngineServer({
    models: ['served-model'],
    speed: 200,
    kvBlocks: 50_000,
    clock: createSystemClock(),
    rng: createRng(1),
  });
  context.after(() => server.close());
  return server;
}

async function createFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-bench-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('bench measures a server and writes the keys of inference-perf', async (t) => {
  const engine = await startEngine(t);
  const folder = await createFolder(t);
  const json = join(folder, 'run.json');
  const single = join(folder, 'single.json');
  const page = join(folder, 'run.html');
  const { code, out, error } = await run(
    `${engine.url}/v1 --workload mixed-sizes --load 0.5 --duration 1s --warm-up 200ms ` +
      `--json ${json} --per-request ${single} --report ${page}`,
  );
  assert.equal(code, EXIT_CODES.ok, error);
  assert.match(out, /model served-model/);
  assert.match(out, /^TTFT +\d/m);
  const report = parseMeasuredReport(JSON.parse(await readFile(json, 'utf8')));
  assert.ok(report.ok, report.ok ? '' : report.error);
  const { successes, failures, load_summary: load, penstock } = report.value;
  assert.ok(successes.count > 0);
  assert.equal(failures.count, 0);
  assert.equal(load.count, successes.count);
  assert.ok(load.schedule_delay !== null && load.schedule_delay.min >= 0);
  assert.ok(successes.latency.inter_token_latency !== null);
  assert.equal(successes.token_count_mismatches, 0);
  assert.equal(penstock?.config.workload, 'mixed-sizes');
  assert.equal(penstock.config.warm_up_seconds, 0.2);
  assert.equal(penstock.status, 'finished');
  const fromSending = penstock.latency_from_sending?.request_latency;
  assert.ok((fromSending?.mean ?? 0) <= (successes.latency.request_latency?.mean ?? 0));
  const entries = JSON.parse(await readFile(single, 'utf8')) as {
    readonly scheduled_time: number;
    readonly computed_metrics: { readonly output_tokens: number };
  }[];
  const counted = entries.filter((entry) => entry.scheduled_time >= 0.2);
  assert.equal(counted.length, successes.count);
  const tokens = counted.reduce((sum, entry) => sum + entry.computed_metrics.output_tokens, 0);
  assert.equal(tokens, successes.output_tokens.total);
  assert.match(await readFile(page, 'utf8'), /^<!doctype html>/i);
});

test('a trace is sent as it was recorded, and can be simulated beside what was measured', async (t) => {
  const engine = await startEngine(t);
  const folder = await createFolder(t);
  const trace = join(folder, 'trace.jsonl');
  const lines = Array.from({ length: 20 }, (_, index) => ({
    timestamp: index * 20,
    input_length: 1100,
    output_length: 8,
    hash_ids: [1, 2, 100 + index],
  }));
  await writeFile(trace, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const json = join(folder, 'run.json');
  const ran = await run(`${engine.url} --trace ${trace} --warm-up 0s --json ${json}`);
  assert.equal(ran.code, EXIT_CODES.ok, ran.error);
  const report = parseMeasuredReport(JSON.parse(await readFile(json, 'utf8')));
  assert.ok(report.ok);
  assert.equal(report.value.successes.count, 20);
  // The engine counts what marks a chat's message as well.
  const { total } = report.value.successes.prompt_tokens;
  assert.ok(total >= 20 * 1100 && total < 20 * 1110, `${total} prompt tokens`);
  assert.ok(report.value.successes.prompt_tokens.cached > 10 * 1024, 'shared blocks are shared');
  assert.equal(report.value.successes.output_tokens.total, 20 * 8);
  const slow = await run(`${engine.url} --trace ${trace} --load 0.5 --dry-run`);
  assert.match(
    slow.out,
    /^requests: 20, .* the last after 760 ms$/m,
    'at half the speed it is whole',
  );
  const simulated = await runCommand(
    `lab replay ${trace} --measured ${json} --profile demo --replicas 1 --json -`,
  );
  assert.equal(simulated.code, EXIT_CODES.ok, simulated.error);
  const [first] = (JSON.parse(simulated.out) as { readonly runs: readonly RunResult[] }).runs;
  assert.equal(first?.requests.completed, 20, 'the warm-up is that of the measured run');
});

test('a dry run says what would be sent and asks nobody', async () => {
  const { code, out } = await run(
    'http://127.0.0.1:9 --workload interactive-chat --duration 60s --dry-run',
  );
  assert.equal(code, EXIT_CODES.ok);
  assert.match(out, /^requests: \d+, /m);
  assert.match(out, /nothing was sent/);
});

test('users of a closed loop wait for their answers', async (t) => {
  const engine = await startEngine(t);
  const json = join(await createFolder(t), 'run.json');
  const line = `${engine.url} --workload mixed-sizes --arrivals closed:users=3,think=10ms`;
  const { code, error } = await run(`${line} --duration 1s --warm-up 0s --json ${json}`);
  assert.equal(code, EXIT_CODES.ok, error);
  const report = parseMeasuredReport(JSON.parse(await readFile(json, 'utf8')));
  assert.ok(report.ok);
  assert.equal(report.value.penstock?.config.arrivals, 'closed:users=3,think=10ms');
  assert.ok(report.value.successes.count > 3, `${report.value.successes.count} answers`);
  const dry = await run(`${line} --dry-run`);
  assert.match(dry.out, /users send only when the answer before has come/);
});

test('failures are printed by kind, and a run without an answer has failed', async (t) => {
  const engine = await startEngine(t);
  engine.injectFaults({ errorRate: 1, errorStatus: 503 });
  const { code, out } = await run(
    `${engine.url} --workload mixed-sizes --duration 300ms --model m --warm-up 0s`,
  );
  assert.equal(code, EXIT_CODES.failed);
  assert.match(out, /failed: \d+ × 503 - Service Unavailable: injected failure/);
});

test('a server that is not there is named', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { code, out, error } = await run(`http://127.0.0.1:${port} --workload mixed-sizes`);
  assert.equal(code, EXIT_CODES.failed);
  assert.match(error, /ECONNREFUSED/);
  assert.equal(out, '');
});

test('mistakes are named before anything is sent', async () => {
  const url = 'http://127.0.0.1:9';
  const mixed = `${url} --workload mixed-sizes`;
  const tries: readonly (readonly [string, RegExp])[] = [
    ['localhost:8000 --workload mixed-sizes', /no http or https address/],
    [url, /one of --workload and --trace/],
    [`${mixed} --trace x`, /one of --workload and --trace/],
    [`${url} --workload mixed-size`, /did you mean "mixed-sizes"/],
    [`${mixed} --load 0`, /--load: the load must be more than 0/],
    [`${mixed} --duration 60`, /--duration/],
    [`${mixed} --warm-up 1h`, /--warm-up/],
    [`${mixed} --timeout 0s`, /--timeout/],
    [`${mixed} --header secret-value`, /--header: expected/],
    [`${mixed} --header Host:a`, /host is set by the client/],
    [`${mixed} --good ttft`, /--good/],
    [`${mixed} --json /nowhere/at/all/x.json`, /--json/],
    [`${url} --trace /nowhere/x.jsonl`, /nowhere/],
    [`${url} --trace x --arrivals poisson`, /a trace has times of its own/],
    [`${mixed} --arrivals gama:cv=2`, /did you mean gamma/],
  ];
  for (const [line, message] of tries) {
    const { code, out, error } = await run(line);
    assert.equal(code, EXIT_CODES.usage, line);
    assert.match(error, message);
    assert.ok(!error.includes('secret-value'));
    assert.equal(out, '');
  }
});

test('Ctrl-C prints what there is', async (t) => {
  const engine = await startEngine(t);
  const main = new URL('../main.ts', import.meta.url).pathname;
  const line = `bench ${engine.url} --workload mixed-sizes --duration 10m --warm-up 0s --json -`;
  const child = spawn(process.execPath, [main, ...line.split(' ')]);
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  while (engine.model.counters.ended.length < 5 && child.exitCode === null) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  child.kill('SIGINT');
  assert.equal(await exited, EXIT_CODES.interrupted);
  const report = parseMeasuredReport(JSON.parse(out));
  assert.ok(report.ok);
  assert.equal(report.value.penstock?.status, 'interrupted');
  assert.ok(report.value.successes.count > 0);
});

test('a key comes from the environment and is never printed', async (t) => {
  const keys: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    keys.push(request.headers.authorization);
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `bad ${request.headers.authorization}` } }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  process.env['BENCH_TEST_KEY'] = 'key-of-this-test';
  t.after(() => {
    delete process.env['BENCH_TEST_KEY'];
  });
  const { port } = server.address() as AddressInfo;
  const { out, error } = await run(
    `http://127.0.0.1:${port} --workload mixed-sizes --duration 200ms --warm-up 0s --model m ` +
      '--api-key-env BENCH_TEST_KEY --json -',
  );
  assert.ok(keys.length > 0);
  assert.ok(keys.every((key) => key === 'Bearer key-of-this-test'));
  assert.match(out, /bad Bearer \[key\]/);
  assert.ok(!`${out}${error}`.includes('key-of-this-test'));
});
