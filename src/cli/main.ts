#!/usr/bin/env node
// Entry of the program, and the only place that reads the process: arguments, environment, signals.

import { readFileSync } from 'node:fs';
import type { CommandContext, CommandSignal } from './command.ts';
import { COMMANDS } from './command-list.ts';
import { runProgram } from './program.ts';
import { setRuntimeFlags } from './runtime-flags.ts';

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const manifest = JSON.parse(text) as { readonly version: string };
  return manifest.version;
}

function onSignal(signal: CommandSignal, handler: () => void): () => void {
  process.on(signal, handler);
  return () => process.off(signal, handler);
}

const context: CommandContext = {
  version: readVersion(),
  writeOut: (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  isErrorTerminal: process.stderr.isTTY,
  onSignal,
};

// A reader that has gone away (`penstock config schema | head`) is no failure.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
setRuntimeFlags();
process.exitCode = await runProgram(
  COMMANDS,
  { args: process.argv.slice(2), env: process.env },
  context,
);
