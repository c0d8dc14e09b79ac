#!/usr/bin/env node
// Runs one of the project's tasks: start, test, bench, check.
//
// Plain JavaScript without dependencies, because after a clone this is the first thing that the
// machine's own Node (20 or newer) executes. It installs what package-lock.json asks for when
// node_modules is missing or different, then runs the task with the Node from devDependencies.
//
// package.json calls it with `exec`, so that npm's signals reach this process and not a shell between
// the two, which would end at once and leave everything below it running.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const PROJECT_NODE = path.join(ROOT, 'node_modules', 'node', 'bin', 'node');
const OLDEST_TASK_NODE = 24;
const FOLLOW_PARENT = pathToFileURL(path.join(ROOT, 'scripts', 'follow-parent.mjs')).href;
const TEST_GLOBS = ['src', 'test', 'scripts', 'bench', 'examples'].map(
  (top) => `${top}/**/*.test.ts`,
);

/** Per task: what it is in words, and the arguments for Node. */
const TASKS = {
  start: {
    summary: 'the gateway in front of three simulated model servers',
    nodeArgs: (extra) => ['--import', FOLLOW_PARENT, 'src/cli/main.ts', 'up', '--demo', ...extra],
    ownsSignals: true,
  },
  test: { summary: 'the tests', nodeArgs: testArgs, ownsSignals: false },
  bench: {
    summary: 'a bench',
    nodeArgs: (extra) => ['bench/run.ts', ...extra],
    ownsSignals: false,
  },
  check: {
    summary: 'the whole gate',
    nodeArgs: (extra) => ['scripts/check.ts', ...extra],
    ownsSignals: false,
  },
};

function testArgs(extra) {
  const flags = extra.filter((arg) => arg.startsWith('-'));
  const files = extra.filter((arg) => !arg.startsWith('-'));
  // One test file per core; Node's own default leaves one of two cores idle.
  const concurrency = Math.min(8, Math.max(2, os.availableParallelism()));
  return [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    // A test or file that hangs fails instead of holding the run up for ever.
    '--test-timeout=300000',
    ...flags,
    ...(files.length > 0 ? files : TEST_GLOBS),
  ];
}

async function main(argv) {
  const [name, ...extra] = argv;
  const task = Object.hasOwn(TASKS, name ?? '') ? TASKS[name] : null;
  if (task === null) {
    const lines = Object.entries(TASKS).map(([key, { summary }]) => `  ${key.padEnd(7)}${summary}`);
    fail(`usage: node scripts/run.mjs <task> [arguments]\n${lines.join('\n')}`, 2);
  }
  await installIfNeeded();
  const node = await findNode();
  say(`running ${task.summary} with Node ${node.version}`);
  process.exitCode = await run(node.binary, task.nodeArgs(extra), task);
}

// ---- installing ----

async function installIfNeeded() {
  const reason = staleReason();
  if (reason === null) return;
  say(`${reason}; installing from package-lock.json with npm ci (about a minute, once) ...`);
  const startedAtMs = Date.now();
  // Quiet about engines: npm would compare them with this machine's Node, which runs none of it.
  const flags = [
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
  ];
  const code = await npm(['ci', ...flags]);
  if (code !== 0) fail(installHelp(code), code);
  say(`installed in ${seconds(startedAtMs)}`);
}

/** Why node_modules does not match the lock file, or null when it does. */
function staleReason() {
  const lock = readJson('package-lock.json');
  if (lock === null) fail('package-lock.json is missing or not JSON; restore it with git', 1);
  // npm writes this file last, so an install that was interrupted has none.
  const installed = readJson(path.join('node_modules', '.package-lock.json'));
  if (installed === null) return 'dependencies are not installed yet';
  const wrong = Object.entries(lock.packages)
    .filter(([folder, wanted]) => folder.startsWith('node_modules/') && !wanted.link)
    .find(([folder, wanted]) => !isAsWanted(folder, wanted, installed.packages[folder]));
  return wrong === undefined ? null : `${wrong[0]} differs from package-lock.json`;
}

function isAsWanted(folder, wanted, present) {
  // Optional packages are builds for other platforms; npm leaves them out on purpose.
  if (present === undefined) return Boolean(wanted.optional || wanted.devOptional);
  const isSame = present.version === wanted.version && present.integrity === wanted.integrity;
  return isSame && existsSync(path.join(ROOT, folder));
}

function npm(args) {
  const cli = process.env['npm_execpath'] ?? '';
  const isNpm = /npm-cli\.c?js$/.test(cli) && existsSync(cli);
  const stillWorking = setInterval(() => say('still working ...'), 15_000);
  const ran = isNpm ? run(process.execPath, [cli, ...args]) : run('npm', args);
  return ran.finally(() => clearInterval(stillWorking));
}

function installHelp(code) {
  return [
    `npm ci failed with exit code ${code}; its own message is above.`,
    'If the registry cannot be reached:',
    '  npm ping                              does it answer?  npm config get registry  which one is it?',
    '  npm config set proxy / https-proxy    behind a proxy (or HTTPS_PROXY in the environment)',
    '  npm config set registry URL           for a mirror inside your network',
    "  npm ci --offline                      when npm's cache has the packages already",
    'If a package may not run its install script: only "node" needs to, see docs/dependencies.md.',
    'Then run the same command again.',
  ].join('\n');
}

// ---- choosing the Node ----

async function findNode() {
  if (!existsSync(PROJECT_NODE)) {
    // Packages were installed with --ignore-scripts: the binary comes with an install script.
    say('the "node" package has no binary yet; running its install script ...');
    await npm(['rebuild', 'node', '--no-audit', '--no-fund', '--no-update-notifier']);
  }
  if (existsSync(PROJECT_NODE)) {
    const version = readJson(path.join('node_modules', 'node', 'package.json'))?.version;
    return { binary: PROJECT_NODE, version };
  }
  if (Number.parseInt(process.versions.node, 10) >= OLDEST_TASK_NODE) {
    say(`node_modules/node has no binary; using this machine's Node instead`);
    return { binary: process.execPath, version: process.versions.node };
  }
  const message =
    `the project needs Node ${OLDEST_TASK_NODE} or newer and this is ${process.versions.node}.\n` +
    'The "node" package in devDependencies brings one, but its install script did not run.\n' +
    'Allow it (npm config get ignore-scripts must say false) and run `npm rebuild node`,\n' +
    `or put Node ${OLDEST_TASK_NODE} or newer on the PATH.`;
  return fail(message, 1);
}

// ---- running ----

/** Signal received, signal sent on. A closed terminal must stop the gateway; to it SIGHUP is reload. */
const FORWARDED = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };

/**
 * On Ctrl-C a terminal signals every process of its group, and npm signals its child once more, so
 * one key press arrives here twice within milliseconds. Later ones are the user's: "stop now".
 */
const SAME_SIGNAL_MS = 300;

/**
 * Runs a program to its end and returns its exit code (128 + n if signal n ended it).
 * With `ownsSignals` it gets its own process group, so that signals reach it only through us, once.
 */
function run(binary, args, { ownsSignals = false } = {}) {
  const binFolder = path.join(ROOT, 'node_modules', '.bin');
  const child = spawn(binary, args, {
    cwd: ROOT,
    detached: ownsSignals,
    stdio: ownsSignals ? ['ignore', 'inherit', 'inherit', 'ipc'] : 'inherit',
    env: { ...process.env, PATH: `${binFolder}${path.delimiter}${process.env['PATH'] ?? ''}` },
  });
  const forwarder = forwardSignals(child);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      forwarder.stop();
      fail(`cannot run ${binary}: ${error.message}`, 1);
    });
    child.once('exit', (code, signal) => {
      forwarder.stop();
      resolve(code ?? 128 + os.constants.signals[signal]);
    });
  });
}

function forwardSignals(child) {
  const lastMs = new Map();
  const listeners = Object.entries(FORWARDED).map(([received, sent]) => {
    const listener = () => {
      const nowMs = performance.now();
      const isRepeat = nowMs - (lastMs.get(sent) ?? -Infinity) < SAME_SIGNAL_MS;
      lastMs.set(sent, nowMs);
      if (!isRepeat) child.kill(sent);
    };
    process.on(received, listener);
    return [received, listener];
  });
  return { stop: () => listeners.forEach(([name, fn]) => process.off(name, fn)) };
}

// ---- small things ----

function readJson(file) {
  try {
    return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8'));
  } catch {
    return null;
  }
}

function seconds(startedAtMs) {
  return `${((Date.now() - startedAtMs) / 1000).toFixed(0)} s`;
}

function say(message) {
  process.stderr.write(`penstock: ${message}\n`);
}

function fail(message, code) {
  say(message);
  process.exit(code);
}

await main(process.argv.slice(2));
