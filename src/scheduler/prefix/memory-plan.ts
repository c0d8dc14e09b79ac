import { assert } from '../../core/assert.ts';
import { CELL_BYTES } from './cells.ts';
import { LANE_BYTES, MAX_LANES, SLOT_COUNT } from './lanes.ts';
import { PREDICTION_BYTES } from './predictions.ts';
import { PromptPath } from './prompt-path.ts';

/** The least memory an index can work with: 256 KiB. */
export const MIN_INDEX_BYTES = 262_144;
/** The most it can make use of: 4 GiB. More is taken for this. */
export const MAX_INDEX_BYTES = 4_294_967_296;

const LARGEST_PATH = 16_384;
const MOST_PREDICTIONS = 8_192;
const BUCKET_BYTES = 4;
/** Lane bytes, those of lists of prompts under way, and of work arrays with a place per lane. */
const BYTES_PER_LANE = LANE_BYTES + 17;

/** How an index divides its memory. */
export interface MemoryPlan {
  readonly laneCount: number;
  /** Blocks of a prompt that are looked at. */
  readonly maxBlocks: number;
  /** A power of two. */
  readonly predictionCount: number;
  /** A power of two. */
  readonly bucketCount: number;
  readonly cellCount: number;
  /** Bytes of everything but the cells. */
  readonly fixedBytes: number;
}

/**
 * Divides `maxBytes`: an eighth at most for endpoints, small shares for prompts under way, and the
 * rest for cells and one to two cells per bucket of their table.
 */
export function planMemory(maxBytes: number): MemoryPlan {
  assert(maxBytes >= MIN_INDEX_BYTES, `a prefix index needs ${MIN_INDEX_BYTES} bytes or more`);
  const bytes = Math.min(maxBytes, MAX_INDEX_BYTES);
  const laneCount = Math.min(MAX_LANES, Math.floor(bytes / 8 / BYTES_PER_LANE));
  const maxBlocks = Math.min(LARGEST_PATH, Math.floor(bytes / 10 / PromptPath.bytesPerBlock));
  const predictionCount = Math.min(
    MOST_PREDICTIONS,
    floorPowerOfTwo(bytes / 32 / PREDICTION_BYTES),
  );
  const withoutCells =
    SLOT_COUNT * Uint16Array.BYTES_PER_ELEMENT +
    (laneCount + 1) * BYTES_PER_LANE +
    maxBlocks * PromptPath.bytesPerBlock +
    predictionCount * PREDICTION_BYTES;
  const forCells = bytes - withoutCells - 2 * CELL_BYTES;
  const bucketCount = floorPowerOfTwo(forCells / (CELL_BYTES + BUCKET_BYTES));
  const fixedBytes = withoutCells + bucketCount * BUCKET_BYTES;
  return {
    laneCount,
    maxBlocks,
    predictionCount,
    bucketCount,
    cellCount: Math.floor((bytes - fixedBytes) / CELL_BYTES) - 1,
    fixedBytes,
  };
}

function floorPowerOfTwo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}
