// The whole gate: `npm run check`. With `--only a,b` or `--except a,b` a part of it.

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT, runCommand, tool } from './check/command.ts';
import { checkPackedCli } from './check/packed-cli.ts';

/** One step; `run` returns whether it passed. */
interface Step {
  readonly name: string;
  readonly wayOut: string;
  readonly run: () => Promise<boolean>;
}

const SOURCE_FOLDERS = ['src', 'test', 'scripts', 'bench', 'examples'].filter((folder) =>
  existsSync(path.join(ROOT, folder)),
);

const STEPS: readonly Step[] = [
  {
    name: 'format',
    wayOut: 'npm run format',
    run: () => passes(tool('oxfmt'), ['--check', ...SOURCE_FOLDERS]),
  },
  {
    name: 'lint',
    wayOut: 'npx oxlint --type-aware <file> explains each finding',
    run: () => passes(tool('oxlint'), ['--type-aware', ...SOURCE_FOLDERS]),
  },
  { name: 'types', wayOut: 'npx tsc -p .', run: () => passes(tool('tsc'), ['-p', '.']) },
  {
    name: 'tidy',
    wayOut: 'each finding names its way out; the rules are in STYLE.md',
    run: () => passes(process.execPath, ['scripts/tidy.ts']),
  },
  {
    name: 'generated',
    wayOut: 'run the script named above without --check and commit what it writes',
    run: checkGenerated,
  },
  {
    name: 'tests',
    wayOut: 'npm test -- <file> runs one file',
    run: () => passes(process.execPath, ['scripts/run.mjs', 'test']),
  },
  {
    name: 'package',
    wayOut: 'npm pack --dry-run lists what is packed; scripts/check/packed-cli.ts what is tried',
    run: async () => {
      const problem = await checkPackedCli();
      if (problem !== null) console.error(problem);
      return problem === null;
    },
  },
];

async function main(): Promise<void> {
  const steps = chosenSteps();
  const failed: Step[] = [];
  for (const step of steps) {
    console.log(`\n== ${step.name}`);
    const startedAtMs = performance.now();
    const hasPassed = await step.run();
    const tookSeconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    console.log(`== ${step.name} ${hasPassed ? 'passed' : 'FAILED'} in ${tookSeconds} s`);
    if (!hasPassed) failed.push(step);
  }
  console.log(`\ncheck: ${steps.length - failed.length} of ${steps.length} steps passed`);
  for (const { name, wayOut } of failed) console.log(`  ${name} failed: ${wayOut}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
}

function chosenSteps(): readonly Step[] {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, except: { type: 'string' } },
  });
  const only = namesIn(values.only);
  const except = namesIn(values.except);
  return STEPS.filter(
    ({ name }) => (only.length === 0 || only.includes(name)) && !except.includes(name),
  );
}

function namesIn(list: string | undefined): readonly string[] {
  const names = list === undefined ? [] : list.split(',');
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(
      `no step ${unknown.join(', ')}; there are ${STEPS.map((s) => s.name).join(', ')}`,
    );
    process.exit(2);
  }
  return names;
}

async function passes(binary: string, args: readonly string[]): Promise<boolean> {
  const { code } = await runCommand(binary, args);
  return code === 0;
}

/** Every `scripts/generate-*.ts` writes a committed file and, with `--check`, only compares it. */
async function checkGenerated(): Promise<boolean> {
  const generators = readdirSync(path.join(ROOT, 'scripts')).filter((name) =>
    /^generate-.*(?<!\.test)\.ts$/.test(name),
  );
  let isCurrent = true;
  for (const generator of generators) {
    console.log(`scripts/${generator} --check`);
    const hasPassed = await passes(process.execPath, [`scripts/${generator}`, '--check']);
    isCurrent &&= hasPassed;
  }
  return isCurrent;
}

await main();
