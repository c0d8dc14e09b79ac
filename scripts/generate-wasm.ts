// Compiles src/protocol/wasm/prompt.wat into prompt-module.ts; with `--check` only compares.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import wabt from 'wabt';

const FOLDER = path.resolve(import.meta.dirname, '..', 'src', 'protocol', 'wasm');
const SOURCE = 'prompt.wat';
const TARGET = 'prompt-module.ts';
const FEATURES = { simd: true, bulk_memory: true };
const LINE_CHARACTERS = 92;

const generated = render(await compile());
const file = path.join(FOLDER, TARGET);
if (process.argv.includes('--check')) {
  const written = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (written !== generated) {
    console.error(`src/protocol/wasm/${TARGET} is not what ${SOURCE} gives`);
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, generated);
}

async function compile(): Promise<Uint8Array> {
  const compiler = await wabt();
  // As a string: of a Buffer, wabt reads the whole pool that it lies in.
  const source = readFileSync(path.join(FOLDER, SOURCE), 'ascii');
  const module = compiler.parseWat(SOURCE, source, FEATURES);
  module.validate();
  return module.toBinary({}).buffer;
}

/** As the formatter would write it. */
function render(bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return [
    `// Written by scripts/generate-wasm.ts from ${SOURCE}; change that file instead of this one.`,
    '',
    `/** The ${bytes.length} bytes of the compiled ${SOURCE}, in base64. */`,
    'export const PROMPT_MODULE: string =',
    `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
    '',
  ].join('\n');
}
