import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitUntil } from './support/gateway.ts';
import {
  createFolder,
  findFreePort,
  startEngineProcess,
  startGatewayProcess,
  startPenstock,
  startProcess,
} from './support/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A port of the loopback that is taken until the test ends. */
async function takePort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Words of a command as a POSIX shell reads them; knows single quotes and escaped line ends. */
function shellWords(command: string): readonly string[] {
  const words = command.replaceAll('\\\n', ' ').match(/(?:'[^']*'|[^\s'])+/g) ?? [];
  return words.map((word) => word.replaceAll("'", ''));
}

/** What `curl` would send. */
function readCurl(command: string): { url: string; headers: [string, string][]; body: string } {
  const [program, url = '', ...rest] = shellWords(command);
  assert.equal(program, 'curl');
  const headers: [string, string][] = [];
  let body = '';
  for (let i = 0; i < rest.length; i += 2) {
    const value = rest[i + 1] ?? '';
    if (rest[i] === '-d') body = value;
    else if (rest[i] === '-H') headers.push(value.split(': ', 2) as [string, string]);
    else assert.fail(`unknown option ${rest[i]}`);
  }
  return { url, headers, body };
}

test('up --demo prints what to paste, and what it prints works', async (t) => {
  const gateway = await startGatewayProcess(t, ['--demo']);
  const { output } = gateway.process;
  const command = /^ {2}(curl [\s\S]*?)\n\n/m.exec(output)?.[1] ?? '';
  const { url, headers, body } = readCurl(command);
  assert.ok(url.startsWith(gateway.url));
  const answer = await fetch(url, { method: 'POST', headers, body });
  assert.equal(answer.status, 200);
  assert.ok((await answer.text()).endsWith('data: [DONE]\n\n'));
  const pasted = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  // A machine may have no curl: 127 is what the shell says then.
  assert.ok(pasted.status === 127 || pasted.stdout.endsWith('data: [DONE]\n\n'), pasted.stderr);

  const snippet = /^ {2}(import OpenAI[\s\S]*?)\n\n/m.exec(output)?.[1] ?? '';
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', snippet], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(ran.status, 0, ran.stderr);
  assert.ok(ran.stdout.trim().length > 0);

  assert.match(output, new RegExp(`Admin: ${gateway.adminUrl}`));
  assert.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200);
  const { endpoints, pools } = await gateway.state();
  assert.equal(endpoints.filter(({ state }) => state === 'ready').length, 3);
  assert.equal(pools.length, 1);

  gateway.process.signal('SIGINT');
  assert.deepEqual(await gateway.process.ended, { code: 0, signal: null });
  assert.equal(gateway.process.errors, '');
});

test('a port in use ends the start with exit code 3 and the way out', async (t) => {
  const port = await takePort(t);
  for (const flag of ['--listen', '--admin']) {
    const other = flag === '--listen' ? '--admin' : '--listen';
    const args = ['up', '--demo', flag, `127.0.0.1:${port}`, other, '127.0.0.1:0'];
    const up = startPenstock(t, args);
    assert.deepEqual(await up.ended, { code: 3, signal: null });
    assert.match(up.errors, new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}`));
    assert.match(up.errors, /choose others with --listen and --admin/);
    assert.ok(!up.output.includes('"serving"'));
    // No stack trace: it is the user's to mend.
    assert.doesNotMatch(up.errors, /\n\s+at /);
  }
});

test('a bad configuration ends the start with exit code 2, path and line', async (t) => {
  const file = join(await createFolder(t), 'penstock.yaml');
  await writeFile(
    file,
    'pools:\n  - name: main\n    endpoints: [http://127.0.0.1:1]\nmodels:\n  - name: m\n    targets: [{ pool: mian }]\n',
  );
  const up = startPenstock(t, ['up', '--config', file]);
  assert.deepEqual(await up.ended, { code: 2, signal: null });
  assert.match(up.errors, /penstock\.yaml:6:\d+/);
  assert.match(up.errors, /models\[0\]\.targets\[0\]\.pool/);
  assert.match(up.errors, /main/);

  const missing = startPenstock(t, ['up', '--config', `${file}.not`]);
  assert.deepEqual(await missing.ended, { code: 2, signal: null });
  assert.match(missing.errors, /penstock\.yaml\.not/);
  const nothing = startPenstock(t, ['up']);
  assert.deepEqual(await nothing.ended, { code: 2, signal: null });
  assert.match(nothing.errors, /--server URL/);
  const typo = startPenstock(t, ['up', '--sever', 'http://127.0.0.1:1']);
  assert.deepEqual(await typo.ended, { code: 2, signal: null });
  assert.match(typo.errors, /--server/);
});

test('the environment gives options, and a flag wins over it', async (t) => {
  const engine = await startEngineProcess(t);
  const port = await findFreePort();
  const main = join(ROOT, 'src/cli/main.ts');
  const up = startProcess(t, 'env', [
    `PENSTOCK_SERVER=${engine.url}`,
    'PENSTOCK_LISTEN=127.0.0.1:1',
    'PENSTOCK_ADMIN=127.0.0.1:0',
    process.execPath,
    main,
    'up',
    '--listen',
    `127.0.0.1:${port}`,
  ]);
  await up.waitFor(/"msg":"serving"/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/models/demo-model`)).status, 200);
  up.signal('SIGTERM');
  assert.deepEqual(await up.ended, { code: 0, signal: null });
});

test('engine is a model server of its own process', async (t) => {
  const engine = await startEngineProcess(t, ['--model', 'mine', '--lora', 'mine-sql']);
  const models = (await (await fetch(`${engine.url}/v1/models`)).json()) as {
    data: { id: string }[];
  };
  assert.deepEqual(
    models.data.map(({ id }) => id),
    ['mine', 'mine-sql'],
  );
  const answer = await fetch(`${engine.url}/v1/completions`, {
    method: 'POST',
    body: '{"model":"mine","prompt":"Hello","max_tokens":3}',
  });
  assert.equal(answer.status, 200);
  const again = startPenstock(t, ['engine', '--listen', `127.0.0.1:${engine.port}`]);
  assert.deepEqual(await again.ended, { code: 3, signal: null });
  assert.match(again.errors, /EADDRINUSE/);
  engine.process.signal('SIGTERM');
  assert.deepEqual(await engine.process.ended, { code: 0, signal: null });
});

test('running out of file descriptors does not end the gateway', async (t) => {
  const engine = await startEngineProcess(t);
  const main = join(ROOT, 'src/cli/main.ts');
  const port = await findFreePort();
  const command = `ulimit -n 64; exec "${process.execPath}" "${main}" up --server ${engine.url}`;
  const addresses = `--listen 127.0.0.1:${port} --admin 127.0.0.1:0`;
  const up = startProcess(t, 'sh', ['-c', `${command} ${addresses}`]);
  await up.waitFor(/"msg":"serving"/);
  const sockets = Array.from({ length: 100 }, () =>
    connect(port, '127.0.0.1').on('error', () => undefined),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  // What cannot be accepted is closed; the process goes on, with connections it has.
  await waitUntil('the limit', () => sockets.some((socket) => socket.destroyed));
  assert.equal(up.end, null, up.errors);
  for (const socket of sockets) socket.destroy();
  await waitUntil('an answer', async () => {
    const url = `http://127.0.0.1:${port}/health`;
    return fetch(url).then(
      ({ status }) => status === 200,
      () => false,
    );
  });
  up.signal('SIGTERM');
  assert.deepEqual(await up.ended, { code: 0, signal: null });
});
