import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';

const MODULE = JSON.stringify(new URL('log-output.ts', import.meta.url).href);

/**
 * Runs a script in a process of its own, in which `output` writes to standard output and `go` waits
 * for a message.
 */
function start(t: TestContext, script: string): ChildProcess {
  const text = `
    import { LogOutput } from ${MODULE};
    process.stdout.on('error', () => {});
    const output = new LogOutput(process.stdout);
    const go = new Promise((resolve) => process.once('message', resolve));
    process.send('ready');
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function untilSaid(child: ChildProcess, wanted: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.on('message', (message) => {
    if (message === wanted) resolve();
  });
  await promise;
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

const NUMBERED = (count: number): string =>
  Array.from({ length: count }, (_, index) => `${index}\n`).join('');

test('every line is written before close resolves, in order', async (t) => {
  const child = start(
    t,
    `for (let index = 0; index < 5000; index += 1) output.write(index + '\\n');
     await output.close();
     output.write('too late\\n');
     await output.close();
     process.disconnect();`,
  );
  const [text, code] = await Promise.all([textOf(child.stdout), exitOf(child)]);
  assert.equal(text, NUMBERED(5000));
  assert.equal(code, 0);
});

test('a reader that has gone away does not keep the process from ending', async (t) => {
  const child = start(
    t,
    `await go;
     output.write('nobody reads this\\n');
     output.write('nor this\\n');
     await output.close();
     output.write('nor that\\n');
     process.disconnect();`,
  );
  await untilSaid(child, 'ready');
  child.stdout?.destroy();
  child.send('go');
  const [errors, code] = await Promise.all([textOf(child.stderr), exitOf(child)]);
  assert.equal(errors, '');
  assert.equal(code, 0);
});

test('a reader that stops reading holds up neither the writer nor the end', async (t) => {
  const child = start(
    t,
    `for (let index = 0; index < 200_000; index += 1) output.write('x'.repeat(99) + '\\n');
     process.send('all taken');
     await output.close();
     process.disconnect();`,
  );
  child.stdout?.pause();
  await untilSaid(child, 'all taken');
  assert.equal(await exitOf(child), 0);
});

test('a slow reader gets all lines once it reads', async (t) => {
  const child = start(
    t,
    `for (let index = 0; index < 100_000; index += 1) output.write(index + '\\n');
     process.send('all taken');
     await go;
     await output.close();
     process.disconnect();`,
  );
  child.stdout?.pause();
  await untilSaid(child, 'all taken');
  child.send('go');
  const [text, code] = await Promise.all([textOf(child.stdout), exitOf(child)]);
  assert.equal(text, NUMBERED(100_000));
  assert.equal(code, 0);
});

test('lines that wait when the process fails are still written', async (t) => {
  const child = start(
    t,
    `output.write('first\\n');
     output.write('last words\\n');
     process.exit(7);`,
  );
  const [text, code] = await Promise.all([textOf(child.stdout), exitOf(child)]);
  assert.match(text, /last words\n/);
  assert.equal(code, 7);
});
