import { must } from '../../core/assert.ts';
import { createProfile, type ProfileOptions } from './create-profile.ts';
import { measureMaxLoad } from './max-load.ts';
import { findModelShape } from './models.ts';

/** One published figure: output tokens a second on each accelerator at maximal load. */
export interface PublishedThroughput {
  readonly model: string;
  readonly accelerator: string;
  /** How it was measured; parallelism by data and experts is put as tensor parallelism here. */
  readonly setup: string;
  readonly options: ProfileOptions;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly tokensPerSecond: number;
}

const FP8_CACHE: ProfileOptions = { kvPrecision: 'fp8' };
// Wide expert parallelism batches over all of its accelerators.
const WIDE: ProfileOptions = { ...FP8_CACHE, maxNumSeqs: 4096, maxNumBatchedTokens: 8192 };
const LLAMA = 'Llama-3.3-70B-Instruct';

function define(
  row: Omit<PublishedThroughput, 'promptTokens' | 'outputTokens'>,
  sizes: readonly [number, number] = [1000, 1000],
): PublishedThroughput {
  return Object.freeze({ ...row, promptTokens: sizes[0], outputTokens: sizes[1] });
}

/**
 * TensorRT-LLM's table (NVIDIA/TensorRT-LLM docs/source/developer-guide/perf-overview.md), whose
 * quantized checkpoints keep their KV cache in fp8 as well.
 */
export const PUBLISHED_THROUGHPUT: readonly PublishedThroughput[] = Object.freeze([
  ...(
    [
      ['h100', 2209, 398],
      ['h200', 2587, 537],
    ] as const
  ).flatMap(([accelerator, short, long]) => {
    const options: ProfileOptions = { ...FP8_CACHE, precision: 'fp8', tensorParallel: 2 };
    const row = { model: LLAMA, accelerator, setup: 'fp8, TP2', options };
    return [
      define({ ...row, tokensPerSecond: short }),
      define({ ...row, tokensPerSecond: long }, [8192, 1024]),
    ];
  }),
  ...(
    [
      [6920, [1000, 1000]],
      [1362, [8192, 1024]],
    ] as const
  ).map(([tokensPerSecond, sizes]) => {
    const options: ProfileOptions = { ...FP8_CACHE, precision: 'nvfp4' };
    const row = { model: LLAMA, accelerator: 'b200', setup: 'nvfp4, TP1', options };
    return define({ ...row, tokensPerSecond }, sizes);
  }),
  define({
    model: 'gpt-oss-120b',
    accelerator: 'h100',
    setup: 'mxfp4, DEP4 (here TP4)',
    options: { ...WIDE, tensorParallel: 4 },
    tokensPerSecond: 4685,
  }),
  define({
    model: 'gpt-oss-120b',
    accelerator: 'h200',
    setup: 'mxfp4, TP1',
    options: FP8_CACHE,
    tokensPerSecond: 6868,
  }),
  define({
    model: 'gpt-oss-20b',
    accelerator: 'h100',
    setup: 'mxfp4, TP1',
    options: FP8_CACHE,
    tokensPerSecond: 11_557,
  }),
  define({
    model: 'gpt-oss-20b',
    accelerator: 'h200',
    setup: 'mxfp4, TP1',
    options: FP8_CACHE,
    tokensPerSecond: 13_858,
  }),
  define({
    model: 'Qwen3-235B-A22B',
    accelerator: 'h200',
    setup: 'fp8, DEP4 (here TP4)',
    options: { ...WIDE, precision: 'fp8', tensorParallel: 4 },
    tokensPerSecond: 3288,
  }),
  define({
    model: 'DeepSeek-R1',
    accelerator: 'h200',
    setup: 'fp8, DEP8 (here TP8)',
    options: { ...WIDE, tensorParallel: 8 },
    tokensPerSecond: 1627,
  }),
]);

/** What this model gives for a published figure, in the same unit. */
export function simulateThroughput(row: PublishedThroughput): number {
  const shape = must(findModelShape(row.model), `model ${row.model}`);
  const made = createProfile(shape, row.accelerator, row.options);
  const profile = must(made.ok ? made.value : null, `profile for ${row.model}`);
  return measureMaxLoad(profile, row).perAccelerator;
}
