// Runs one bench: `npm run bench -- <name> [--quick]`. Exit code 0: every target that must be met
// is met; 1: one is missed; 2: wrong usage, or the bench could not measure.
import { parseArgs } from 'node:util';
import { idleBench } from './idle.ts';
import type { Bench } from './lib/bench.ts';
import { Cleanup } from './lib/cleanup.ts';
import { BenchFailure } from './lib/failure.ts';
import { labBench } from './lab.ts';
import { openLab, type Lab, type RunOptions } from './lib/lab.ts';
import { checkTable, formatJsonLine, formatTable, type BenchResult } from './lib/report.ts';
import { longPromptBench } from './long-prompt.ts';
import { pickBench } from './pick.ts';
import { policiesBench } from './policies.ts';
import { prefixIndexBench } from './prefix-index.ts';
import { proxyBench } from './proxy.ts';
import { streamBench } from './stream.ts';
import { streamsBench } from './streams.ts';

const BENCHES: readonly Bench[] = [
  proxyBench,
  streamBench,
  longPromptBench,
  streamsBench,
  idleBench,
  prefixIndexBench,
  pickBench,
  labBench,
  policiesBench,
];

/** A run that takes longer than this hangs. */
const FULL_LIMIT_MS = 300_000;
const QUICK_LIMIT_MS = 60_000;

const USAGE = `Usage: npm run bench -- <name> [--quick]

${BENCHES.map((bench) => `  ${bench.name.padEnd(12)} ${bench.question}`).join('\n')}

  --quick              fewer and shorter rounds, under 45 s
  --subject raw-proxy  measure the bench's own raw-socket proxy in place of the gateway
  --workload A,B --policy A,B --seed 1,2 --load 1,1.25
                       what \`policies\` runs; without them its matrix
  --profile DIR        have the gateway write a CPU profile to DIR (the figures suffer a little)
`;

interface Invocation {
  readonly bench: Bench;
  readonly options: RunOptions;
}

/** The bench and its options; null when the command line names none. */
function parseInvocation(args: readonly string[]): Invocation | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        subject: { type: 'string' },
        profile: { type: 'string' },
        workload: { type: 'string' },
        policy: { type: 'string' },
        seed: { type: 'string' },
        load: { type: 'string' },
      },
    });
    const bench = BENCHES.find((candidate) => candidate.name === positionals[0]);
    const subject = values.subject ?? 'penstock';
    const isKnown = subject === 'penstock' || subject === 'raw-proxy';
    if (bench === undefined || positionals.length !== 1 || !isKnown) return null;
    const options = {
      isQuick: values.quick === true,
      subject,
      profileDir: values.profile ?? null,
      only: {
        workloads: listOf(values.workload),
        policies: listOf(values.policy),
        seeds: listOf(values.seed),
        loads: listOf(values.load),
      },
    } as const;
    return { bench, options };
  } catch {
    return null;
  }
}

function listOf(value: string | undefined): readonly string[] | null {
  return value === undefined ? null : value.split(',');
}

async function runBench({ bench, options }: Invocation, cleanup: Cleanup): Promise<number> {
  const startedAtMs = performance.now();
  const lab = openLab(options, cleanup);
  const result = await bench.run(lab);
  printResult(bench, lab, result, performance.now() - startedAtMs);
  return result.checks.every((check) => check.pass) ? 0 : 1;
}

function printResult(bench: Bench, lab: Lab, result: BenchResult, elapsedMs: number): void {
  const lines = [
    `${bench.name}: ${bench.question}`,
    `reference: ${result.reference}, subject: ${lab.subject}, node ${process.version}, ` +
      `proxy on core ${lab.cpus.proxyCpu}, load and upstream on core ${lab.cpus.loadCpu}`,
    ...(lab.nginxVersion === null
      ? ['nginx is not installed: the reference is the bare raw-socket proxy of this bench']
      : []),
    '',
    ...result.tables.flatMap((table) => [formatTable(table), '']),
    formatTable(checkTable(result.checks)),
    '',
    ...result.notes,
    `took ${(elapsedMs / 1000).toFixed(1)} s`,
    formatJsonLine(bench.name, result.reference, result.checks),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function main(): Promise<number> {
  const invocation = parseInvocation(process.argv.slice(2));
  if (invocation === null) {
    process.stderr.write(USAGE);
    return 2;
  }
  const cleanup = new Cleanup();
  const { bench, options } = invocation;
  const limitMs = options.isQuick ? QUICK_LIMIT_MS : (bench.limitMs ?? FULL_LIMIT_MS);
  const interrupted = new Promise<never>((_, reject) => {
    const stop = (reason: string): void => reject(new BenchFailure(reason));
    setTimeout(() => stop(`not finished after ${limitMs / 1000} s`), limitMs).unref();
    process.once('SIGINT', () => stop('interrupted'));
    process.once('SIGTERM', () => stop('interrupted'));
  });
  try {
    return await Promise.race([runBench(invocation, cleanup), interrupted]);
  } catch (cause) {
    if (!(cause instanceof BenchFailure)) throw cause;
    process.stderr.write(`${cause.message}\n`);
    return 2;
  } finally {
    for (const failure of await cleanup.run()) process.stderr.write(`${String(failure)}\n`);
  }
}

process.exit(await main());
