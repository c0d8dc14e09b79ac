import { ENGINE_OPTIONS } from '../simulator/server/options.ts';
import { BENCH_OPTIONS } from './bench-options.ts';
import type { Command } from './command.ts';
import { EXPLAIN_OPTIONS } from './explain-options.ts';
import { LAB_CALIBRATE_OPTIONS } from './lab-calibrate-options.ts';
import {
  LAB_LIST_OPTIONS,
  LAB_REPLAY_OPTIONS,
  LAB_RUN_OPTIONS,
  LAB_SIZE_OPTIONS,
  LAB_SWEEP_OPTIONS,
} from './lab-options.ts';
import { UP_OPTIONS } from './up-options.ts';

/**
 * Every command. What a command runs is imported only when it runs, so that `config check` does not
 * load the gateway.
 */
export const COMMANDS: readonly Command[] = Object.freeze([
  {
    name: 'up',
    summary: 'Run the gateway in front of model servers.',
    operands: [],
    options: UP_OPTIONS,
    examples: [
      'penstock up --server http://a:8000 --server http://b:11434',
      'penstock up --config penstock.yaml',
      'penstock up --demo',
    ],
    run: async (options, context) => {
      const { runUp } = await import('./commands/up.ts');
      return runUp(options, context);
    },
  },
  {
    name: 'engine',
    summary: 'Run a simulated model server.',
    operands: [],
    options: ENGINE_OPTIONS,
    examples: [],
    run: async (options, context) => {
      const { runEngine } = await import('./commands/engine.ts');
      return runEngine(options, context);
    },
  },
  {
    name: 'explain',
    summary: 'Say why a request went where it went, or where one would go.',
    operands: ['[REQUEST-ID]'],
    options: EXPLAIN_OPTIONS,
    examples: [
      'penstock explain req-abc-1',
      'penstock explain --dry-run request.json',
      'penstock explain --shadow',
    ],
    run: async (options, context) => {
      const { runExplain } = await import('./commands/explain.ts');
      return runExplain(options, context);
    },
  },
  {
    name: 'lab list',
    summary: 'Show workloads, profiles and policies for the lab.',
    operands: [],
    options: LAB_LIST_OPTIONS,
    examples: [],
    run: async (options, context) => {
      const { runLabList } = await import('./commands/lab-list.ts');
      return runLabList(options, context);
    },
  },
  {
    name: 'lab run',
    summary: 'Compare policies on the same traffic, in simulated time.',
    operands: [],
    options: LAB_RUN_OPTIONS,
    examples: [
      'penstock lab run --workload interactive-chat --policy soonest,least-request',
      'penstock lab run --workload shared-prefix --profile a10g-7b --replicas 8 --policy all',
      'penstock lab run --workload interactive-chat --seeds 3 --report chat.html',
    ],
    run: async (options, context) => {
      const { runLabRun } = await import('./commands/lab-run.ts');
      return runLabRun(options, context);
    },
  },
  {
    name: 'lab replay',
    summary: 'Compare policies on recorded traffic, in simulated time.',
    operands: ['TRACE'],
    options: LAB_REPLAY_OPTIONS,
    examples: ['penstock lab replay trace.jsonl --profile h100-8b --replicas 4 --policy all'],
    run: async (options, context) => {
      const { runLabReplay } = await import('./commands/lab-run.ts');
      return runLabReplay(options, context);
    },
  },
  {
    name: 'lab size',
    summary: 'Find the smallest number of replicas that meets an objective.',
    operands: [],
    options: LAB_SIZE_OPTIONS,
    examples: [
      'penstock lab size --workload interactive-chat --objective ttft-p99=1s,itl-p99=50ms',
      'penstock lab size --workload shared-prefix --objective goodput=99% --profile l4-8b,h100-8b',
    ],
    run: async (options, context) => {
      const { runLabSize } = await import('./commands/lab-size.ts');
      return runLabSize(options, context);
    },
  },
  {
    name: 'lab sweep',
    summary: 'Raise the load until a fleet saturates, and mark the knee.',
    operands: [],
    options: LAB_SWEEP_OPTIONS,
    examples: ['penstock lab sweep --workload interactive-chat --from 0.2 --to 2 --stages 8'],
    run: async (options, context) => {
      const { runLabSweep } = await import('./commands/lab-sweep.ts');
      return runLabSweep(options, context);
    },
  },
  {
    name: 'lab calibrate',
    summary: 'Fit a profile to a measured run, and state the error that is left.',
    operands: [],
    options: LAB_CALIBRATE_OPTIONS,
    examples: ['penstock lab calibrate --profile h100-8b --measured run.json --out h100-ours.json'],
    run: async (options, context) => {
      const { runLabCalibrate } = await import('./commands/lab-calibrate.ts');
      return runLabCalibrate(options, context);
    },
  },
  {
    name: 'bench',
    summary: 'Send a workload to a server as real HTTP load, and measure.',
    operands: ['URL'],
    options: BENCH_OPTIONS,
    examples: [
      'penstock bench http://127.0.0.1:8080 --workload interactive-chat --load 0.5 --duration 60s',
      'penstock bench http://gpu-1:8000 --trace trace.jsonl --json run.json --report run.html',
    ],
    run: async (options, context) => {
      const { runBench } = await import('./commands/bench.ts');
      return runBench(options, context);
    },
  },
  {
    name: 'config check',
    summary: 'Check a configuration file and say what it sets up.',
    operands: ['FILE'],
    options: [],
    examples: ['penstock config check penstock.yaml'],
    run: async (options, context) => {
      const { runConfigCheck } = await import('./commands/config.ts');
      return runConfigCheck(options, context);
    },
  },
  {
    name: 'config schema',
    summary: 'Print the JSON Schema of the configuration file.',
    operands: [],
    options: [],
    examples: ['penstock config schema > penstock.schema.json'],
    run: async (options, context) => {
      const { runConfigSchema } = await import('./commands/config.ts');
      return runConfigSchema(options, context);
    },
  },
] satisfies Command[]);
