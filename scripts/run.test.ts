import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';

/** Tells what it was given and which signals it got; ends on `SIGTERM` or the second signal. */
const FAKE_GATEWAY = `
let count = 0;
const keepAlive = setInterval(() => {}, 1000);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    count += 1;
    console.log('got ' + name);
    if (name === 'SIGTERM' || count === 2) {
      setTimeout(() => { console.log('drained'); process.exit(7); }, 50);
    }
  });
}
console.log('pid ' + process.pid);
console.log('args ' + process.argv.slice(2).join(' '));
`;

/** Stands in for npm: records its arguments, then installs what the lock file says, or fails. */
const FAKE_NPM = `
import { cpSync, writeFileSync } from 'node:fs';
console.log('npm ' + process.argv.slice(2).join(' '));
if (process.env.NPM_FAILS) process.exit(9);
cpSync('package-lock.json', 'node_modules/.package-lock.json');
`;

interface Options {
  readonly installedVersion: string | null;
}

/** A project with the real runner, a dependency, and stand-ins for npm and the gateway. */
function makeProject(t: TestContext, { installedVersion }: Options): string {
  const root = mkdtempSync(path.join(tmpdir(), 'penstock-run-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const packages = (version: string): Record<string, object> => ({
    'node_modules/dep': { version, integrity: 'sha512-x' },
  });
  const otherPlatform = { 'node_modules/other': { version: '1.0.0', optional: true } };
  const lock = { packages: { '': {}, ...packages('1.0.0'), ...otherPlatform } };
  for (const folder of ['scripts', 'src/cli', 'node_modules/node/bin', 'node_modules/dep']) {
    mkdirSync(path.join(root, folder), { recursive: true });
  }
  for (const script of ['run.mjs', 'follow-parent.mjs']) {
    cpSync(path.join(import.meta.dirname, script), path.join(root, 'scripts', script));
  }
  symlinkSync(process.execPath, path.join(root, 'node_modules/node/bin/node'));
  writeFileSync(path.join(root, 'node_modules/node/package.json'), '{"version":"26.0.0"}');
  writeFileSync(path.join(root, 'src/cli/main.ts'), FAKE_GATEWAY);
  writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
  writeFileSync(path.join(root, 'npm-cli.js'), FAKE_NPM);
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify(lock));
  if (installedVersion !== null) {
    const installed = JSON.stringify({ packages: packages(installedVersion) });
    writeFileSync(path.join(root, 'node_modules/.package-lock.json'), installed);
  }
  return root;
}

/** The runner, started in `root`, with everything it and its child write. */
class Run {
  readonly child: ChildProcess;
  output = '';

  constructor(root: string, args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [path.join(root, 'scripts/run.mjs'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_execpath: path.join(root, 'npm-cli.js'), ...env },
    });
    const read = (chunk: Buffer): void => {
      this.output += chunk.toString('utf8');
    };
    this.child.stdout?.on('data', read);
    this.child.stderr?.on('data', read);
  }

  /** Resolves once the output contains `text`; the test runner's time limit bounds the wait. */
  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      assert.equal(this.child.exitCode, null, `ended before "${text}":\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async exitCode(): Promise<number | null> {
    if (this.child.exitCode === null) await once(this.child, 'close');
    return this.child.exitCode;
  }
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

test('start runs the demo with further arguments and installs nothing when all is there', async (t) => {
  const run = new Run(makeProject(t, { installedVersion: '1.0.0' }), ['start', '--listen', ':1']);
  await run.until('args up --demo --listen :1');
  run.child.kill('SIGTERM');
  assert.equal(await run.exitCode(), 7);
  assert.equal(count(run.output, 'npm '), 0, run.output);
});

test('one Ctrl-C, which arrives twice, reaches the gateway once and its drain is awaited', async (t) => {
  const run = new Run(makeProject(t, { installedVersion: '1.0.0' }), ['start']);
  await run.until('args');
  run.child.kill('SIGINT');
  await run.until('got SIGINT');
  run.child.kill('SIGINT');
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(count(run.output, 'got SIGINT'), 1);

  run.child.kill('SIGINT');
  assert.equal(await run.exitCode(), 7);
  assert.equal(count(run.output, 'got SIGINT'), 2, 'a later one is the user asking again');
  assert.ok(run.output.includes('drained'));
});

test('a closed terminal stops the gateway instead of reloading it', async (t) => {
  const run = new Run(makeProject(t, { installedVersion: '1.0.0' }), ['start']);
  await run.until('args');
  run.child.kill('SIGHUP');
  assert.equal(await run.exitCode(), 7);
  assert.equal(count(run.output, 'got SIGHUP'), 0);
  assert.equal(count(run.output, 'got SIGTERM'), 1);
});

test('a gateway whose runner is killed outright drains and ends', async (t) => {
  const run = new Run(makeProject(t, { installedVersion: '1.0.0' }), ['start']);
  await run.until('args');
  run.child.kill('SIGKILL');
  await once(run.child, 'close');
  assert.ok(run.output.includes('got SIGTERM'));
  assert.ok(run.output.includes('drained'));
});

for (const installedVersion of [null, '0.9.0']) {
  const state = installedVersion === null ? 'missing' : 'of another version';
  test(`dependencies that are ${state} are installed first`, async (t) => {
    const run = new Run(makeProject(t, { installedVersion }), ['start']);
    await run.until('args');
    run.child.kill('SIGTERM');
    assert.equal(await run.exitCode(), 7);
    assert.match(run.output, /npm ci --include=dev --no-audit --no-fund/);
  });
}

test('an install that fails says what to do and starts nothing', async (t) => {
  const root = makeProject(t, { installedVersion: null });
  const run = new Run(root, ['start'], { NPM_FAILS: '1' });
  assert.equal(await run.exitCode(), 9);
  assert.match(run.output, /registry cannot be reached/);
  assert.equal(count(run.output, 'args'), 0);
});

test('an unknown task lists the tasks', async (t) => {
  const run = new Run(makeProject(t, { installedVersion: '1.0.0' }), ['strat']);
  assert.equal(await run.exitCode(), 2);
  assert.match(run.output, /start[^]*test[^]*bench[^]*check/);
});
