// Checks the house rules: `node scripts/tidy.ts`. With `--tighten` it also lowers the exceptions in
// scripts/tidy-ratchet.json to what is still needed; nothing raises them but an edit by hand.
// `--wrap PATH…` breaks comment lines that are too wide in files below these paths.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { checkProject, type Violation } from './tidy/finding.ts';
import { parseProject, type SourceText } from './tidy/project.ts';
import { applyRatchet, type Ratchet } from './tidy/ratchet.ts';
import { RULES } from './tidy/rules.ts';
import { wrapComments } from './tidy/wrap-comments.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const RATCHET = path.join(ROOT, 'scripts', 'tidy-ratchet.json');
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', 'dist', '.git', 'coverage']);
const TEXT_FILES = /(\.(ts|mjs|js|json|md|yaml|yml|sh|txt)|^\.ci\/run)$/;
const NOT_OURS: ReadonlySet<string> = new Set(['package-lock.json']);

function main(): void {
  const wrapAt = process.argv.indexOf('--wrap');
  if (wrapAt > 0) wrapBelow(process.argv.slice(wrapAt + 1));
  else check();
}

function wrapBelow(folders: readonly string[]): void {
  for (const { path: file, text } of readTexts(ROOT, '')) {
    if (!file.endsWith('.ts') || !folders.some((folder) => file.startsWith(folder))) continue;
    const wrapped = wrapComments(text);
    if (wrapped === text) continue;
    writeFileSync(path.join(ROOT, file), wrapped);
    console.log(file);
  }
}

function check(): void {
  const startedAtMs = performance.now();
  const project = parseProject(readTexts(ROOT, ''));
  const ratchet = JSON.parse(readFileSync(RATCHET, 'utf8')) as Ratchet;
  const result = applyRatchet(checkProject(project, RULES), ratchet);
  for (const violation of result.violations) console.log(describe(violation));
  if (process.argv.includes('--tighten')) {
    writeFileSync(RATCHET, `${JSON.stringify(result.tightened, null, 2)}\n`);
  } else {
    for (const line of result.slack) console.log(`scripts/tidy-ratchet.json:1 ratchet ${line}`);
    if (result.slack.length > 0) console.log('  run `node scripts/tidy.ts --tighten`');
    if (result.slack.length > 0) process.exitCode = 1;
  }
  if (result.violations.length > 0) process.exitCode = 1;
  const tookMs = Math.round(performance.now() - startedAtMs);
  const found = `${result.violations.length} findings`;
  console.log(`tidy: ${project.files.length} files, ${RULES.length} rules, ${found}, ${tookMs} ms`);
}

function describe({ file, line, rule, message, wayOut }: Violation): string {
  return `${file}:${line} ${rule} ${message}\n  ${wayOut}`;
}

function readTexts(root: string, folder: string): SourceText[] {
  const entries = readdirSync(path.join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const relative = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return SKIPPED_FOLDERS.has(entry.name) ? [] : readTexts(root, relative);
    }
    if (!TEXT_FILES.test(relative) || NOT_OURS.has(relative)) return [];
    return [{ path: relative, text: readFileSync(path.join(root, relative), 'utf8') }];
  });
}

main();
