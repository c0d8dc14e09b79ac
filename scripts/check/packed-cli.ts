// Installs the package as a user gets it, with its production dependencies only, and starts it.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, runCommand } from './command.ts';

const ENGINE_START_MS = 20_000;
const ENGINE_STOP_MS = 10_000;

/** Packs, installs and starts the command line; returns what went wrong, or null. */
export async function checkPackedCli(): Promise<string | null> {
  const folder = mkdtempSync(path.join(tmpdir(), 'penstock-packed-'));
  try {
    const installed = await installPacked(folder);
    if (installed === null) return 'npm pack failed';
    return await tryCommands(path.join(installed, binOf(installed)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Puts the package and its dependencies into a node_modules folder; null if packing failed. */
async function installPacked(folder: string): Promise<string | null> {
  const packed = await runCommand('npm', ['pack', '--silent', '--pack-destination', folder], {
    output: 'capture',
  });
  const tarball = packed.output.trim().split('\n').at(-1) ?? '';
  if (packed.code !== 0 || tarball === '') return null;
  const installed = path.join(folder, 'node_modules', 'penstock');
  mkdirSync(installed, { recursive: true });
  const unpack = ['-xzf', path.join(folder, tarball), '-C', installed, '--strip-components=1'];
  if ((await runCommand('tar', unpack)).code !== 0) return null;
  // Copied from our own node_modules instead of downloaded, so that this works without a network.
  for (const dependency of productionFolders()) {
    cpSync(path.join(ROOT, dependency), path.join(folder, dependency), { recursive: true });
  }
  return installed;
}

/** Folders below node_modules that `npm ci --omit=dev` would install. */
function productionFolders(): string[] {
  const lock = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; link?: boolean }>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional, link }]) => {
      return folder.startsWith('node_modules/') && !dev && !devOptional && !link;
    })
    .map(([folder]) => folder)
    .filter((folder) => existsSync(path.join(ROOT, folder)));
}

function binOf(installed: string): string {
  const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
    bin: { penstock: string };
  };
  return manifest.bin.penstock;
}

async function tryCommands(bin: string): Promise<string | null> {
  if (!readFileSync(bin, 'utf8').startsWith('#!')) return 'the bin file has no #! line';
  const expectations: readonly (readonly [readonly string[], RegExp])[] = [
    [['--version'], /\d+\.\d+\.\d+/],
    [['--help'], /penstock/],
    [['config', 'schema'], /"\$schema"/],
  ];
  for (const [args, expected] of expectations) {
    const { code, output } = await runCommand(process.execPath, [bin, ...args], {
      cwd: path.dirname(bin),
      output: 'capture',
    });
    const call = `penstock ${args.join(' ')}`;
    if (code !== 0) return `${call} ended with exit code ${code}`;
    if (!expected.test(output)) return `${call} did not print ${expected}`;
  }
  return tryEngine(bin);
}

async function tryEngine(bin: string): Promise<string | null> {
  const engine = spawn(process.execPath, [bin, 'engine', '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(engine, 'exit');
  try {
    const url = await announcedUrl(engine);
    if (url === null) return 'penstock engine did not print its address';
    const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5_000) });
    await answer.arrayBuffer();
    if (answer.status !== 200) return `penstock engine answered /health with ${answer.status}`;
    engine.kill('SIGTERM');
    const stopped = await Promise.race([exited, delay(ENGINE_STOP_MS)]);
    if (stopped === null) return 'penstock engine did not stop on SIGTERM';
    return stopped[0] === 0 ? null : `penstock engine ended with exit code ${stopped[0]}`;
  } finally {
    if (engine.exitCode === null) engine.kill('SIGKILL');
    await exited;
  }
}

/** First URL that the program writes to either stream. */
async function announcedUrl(engine: ChildProcess): Promise<string | null> {
  let text = '';
  const announced = new Promise<string>((resolve) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString('utf8');
      const match = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (match !== null) resolve(match[0]);
    };
    engine.stdout?.on('data', read);
    engine.stderr?.on('data', read);
  });
  const ended = once(engine, 'exit').then(() => null);
  const url = await Promise.race([announced, ended, delay(ENGINE_START_MS)]);
  if (url === null) console.error(text);
  return url;
}

function delay(delayMs: number): Promise<null> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(null), delayMs).unref();
  });
}
