// Writes schema/penstock.schema.json from the configuration schema; with `--check` only compares.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toJsonSchema } from '../src/cli/config/json-schema.ts';
import { CONFIG_SCHEMA } from '../src/cli/config/schema.ts';

const FILE = path.resolve(import.meta.dirname, '..', 'schema', 'penstock.schema.json');

const generated = `${JSON.stringify(toJsonSchema(CONFIG_SCHEMA), null, 2)}\n`;
const written = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
if (process.argv.includes('--check')) {
  if (written !== generated) {
    console.error('schema/penstock.schema.json is not what the configuration schema gives');
    process.exitCode = 1;
  }
} else {
  mkdirSync(path.dirname(FILE), { recursive: true });
  writeFileSync(FILE, generated);
}
