import { ModelRewriter } from './model-values.ts';
import type { ResponseBody } from './response-body.ts';
import { UsageFinder } from './usage-finder.ts';
import type { UsageRecord } from './usage-shapes.ts';

/** Follows a JSON response: reads its usage and replaces its model name. */
export class JsonResponse implements ResponseBody {
  readonly sawEnd = false;
  readonly atFrameBoundary = false;
  readonly #finder: UsageFinder;
  readonly #rewriter: ModelRewriter | null;

  /** `model` is the new name as JSON text, or null to keep the engine's. */
  constructor(record: UsageRecord, model: Buffer | null) {
    this.#finder = new UsageFinder(record);
    this.#rewriter = model === null ? null : new ModelRewriter(model);
  }

  push(chunk: Buffer): Buffer | null {
    this.#finder.push(chunk);
    return this.#rewriter === null ? chunk : this.#rewriter.push(chunk);
  }

  finish(): Buffer | null {
    return null;
  }
}
