/** One accelerator; speeds are the maker's peaks, dense (without structured sparsity). */
export interface Accelerator {
  /** Short name in lower case. */
  readonly name: string;
  /** Operations a second in bf16. */
  readonly bf16Flops: number;
  /** In fp8; null when there is no such unit and weights are widened to bf16 first. */
  readonly fp8Flops: number | null;
  readonly fp4Flops: number | null;
  readonly memoryBytesPerSecond: number;
  /** What a program sees as total memory, a little below the number on the box. */
  readonly memoryBytes: number;
  /** To the other accelerators of its machine, one way. */
  readonly linkBytesPerSecond: number;
  /** Of one small all-reduce. */
  readonly linkLatencyMs: number;
  /** Between host memory and the accelerator. */
  readonly hostBytesPerSecond: number;
  /** List price of one of them for an hour, in US dollars. */
  readonly hourlyUsd: number;
}

const GIB = 2 ** 30;
const TERA = 1e12;
const GIGA = 1e9;
// A small all-reduce takes about 10 microseconds over NVLink with one-shot kernels (TensorRT-LLM,
// vLLM's custom all-reduce) and several times that over PCIe, where it goes through host memory.
const NVLINK_MS = 0.01;
const PCIE_MS = 0.04;

/**
 * Speeds are of the makers' data sheets. Memory is torch's `total_memory` (79.2 GiB on an H100:
 * vLLM pull request 10511; others from out-of-memory messages, which state it). Links: NVLink and
 * Infinity Fabric one way as the data sheets have them, PCIe at 80 % of its raw rate. Prices: AWS
 * EC2 on demand, us-east-1, after the reductions of June 2025, of the smallest instance
 * (g5.xlarge, g6.xlarge, g6e.xlarge) or an eighth of p4d, p4de, p5, p5en and p6-b200.48xlarge;
 * MI300X is an eighth of Azure's ND96isr_MI300X_v5. They are typical, not a quote.
 */
export const ACCELERATORS: readonly Accelerator[] = Object.freeze([
  {
    name: 'a10g',
    bf16Flops: 70 * TERA,
    fp8Flops: null,
    fp4Flops: null,
    memoryBytesPerSecond: 0.6 * TERA,
    memoryBytes: 22.06 * GIB,
    linkBytesPerSecond: 25 * GIGA,
    linkLatencyMs: PCIE_MS,
    hostBytesPerSecond: 25 * GIGA,
    hourlyUsd: 1.006,
  },
  {
    name: 'l4',
    bf16Flops: 121 * TERA,
    fp8Flops: 242 * TERA,
    fp4Flops: null,
    memoryBytesPerSecond: 0.3 * TERA,
    memoryBytes: 22.03 * GIB,
    linkBytesPerSecond: 12.5 * GIGA,
    linkLatencyMs: PCIE_MS,
    hostBytesPerSecond: 12.5 * GIGA,
    hourlyUsd: 0.805,
  },
  {
    name: 'l40s',
    bf16Flops: 362 * TERA,
    fp8Flops: 733 * TERA,
    fp4Flops: null,
    memoryBytesPerSecond: 0.864 * TERA,
    memoryBytes: 44.39 * GIB,
    linkBytesPerSecond: 25 * GIGA,
    linkLatencyMs: PCIE_MS,
    hostBytesPerSecond: 25 * GIGA,
    hourlyUsd: 1.861,
  },
  {
    name: 'a100-40',
    bf16Flops: 312 * TERA,
    fp8Flops: null,
    fp4Flops: null,
    memoryBytesPerSecond: 1.555 * TERA,
    memoryBytes: 39.5 * GIB,
    linkBytesPerSecond: 300 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 25 * GIGA,
    hourlyUsd: 2.745,
  },
  {
    name: 'a100-80',
    bf16Flops: 312 * TERA,
    fp8Flops: null,
    fp4Flops: null,
    memoryBytesPerSecond: 2.039 * TERA,
    memoryBytes: 79.15 * GIB,
    linkBytesPerSecond: 300 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 25 * GIGA,
    hourlyUsd: 3.431,
  },
  {
    name: 'h100',
    bf16Flops: 989 * TERA,
    fp8Flops: 1979 * TERA,
    fp4Flops: null,
    memoryBytesPerSecond: 3.35 * TERA,
    memoryBytes: 79.2 * GIB,
    linkBytesPerSecond: 450 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 50 * GIGA,
    hourlyUsd: 6.88,
  },
  {
    name: 'h200',
    bf16Flops: 989 * TERA,
    fp8Flops: 1979 * TERA,
    fp4Flops: null,
    memoryBytesPerSecond: 4.8 * TERA,
    memoryBytes: 139.8 * GIB,
    linkBytesPerSecond: 450 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 50 * GIGA,
    hourlyUsd: 7.912,
  },
  {
    name: 'b200',
    bf16Flops: 2250 * TERA,
    fp8Flops: 4500 * TERA,
    fp4Flops: 9000 * TERA,
    memoryBytesPerSecond: 8 * TERA,
    memoryBytes: 178.4 * GIB,
    linkBytesPerSecond: 900 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 50 * GIGA,
    hourlyUsd: 14.24,
  },
  {
    name: 'mi300x',
    bf16Flops: 1307 * TERA,
    fp8Flops: 2615 * TERA,
    fp4Flops: null,
    memoryBytesPerSecond: 5.3 * TERA,
    memoryBytes: 192 * GIB,
    linkBytesPerSecond: 448 * GIGA,
    linkLatencyMs: NVLINK_MS,
    hostBytesPerSecond: 50 * GIGA,
    hourlyUsd: 6,
  },
]);

/** Other spellings of accelerator names. */
const ALIASES: Readonly<Record<string, string>> = Object.freeze({
  a100: 'a100-80',
  'a100-40gb': 'a100-40',
  'a100-80gb': 'a100-80',
  'h100-80gb': 'h100',
  'h200-141gb': 'h200',
});

/** The accelerator of that name, case ignored, or null. `a100` is the one with 80 GB. */
export function findAccelerator(name: string): Accelerator | null {
  const lower = name.toLowerCase();
  const wanted = Object.hasOwn(ALIASES, lower) ? ALIASES[lower] : lower;
  return ACCELERATORS.find((each) => each.name === wanted) ?? null;
}
