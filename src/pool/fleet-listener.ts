/** An endpoint's KV cache, as its engine reports it. */
export interface CacheSize {
  readonly blockTokens: number;
  readonly blockCount: number;
}

/** Hears of what makes earlier knowledge of a slot worthless or more exact. Calls must be quick. */
export interface FleetListener {
  /** The engine's process is new: its caches are empty. */
  onRestart(slot: number): void;
  /** The slot is about to be given to another endpoint. */
  onVacated(slot: number): void;
  /** The engine said how large its KV cache is, or said it differently from before. */
  onCacheSize(slot: number, size: CacheSize): void;
}

/** For a fleet that nobody listens to. */
export const NO_LISTENER: FleetListener = Object.freeze({
  onRestart(): void {},
  onVacated(): void {},
  onCacheSize(): void {},
});
