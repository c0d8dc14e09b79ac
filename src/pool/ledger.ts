import type { Clock } from '../core/clock.ts';
import type { LoadColumns } from './load-table.ts';

/**
 * Largest token count one booking may hold. A client can ask for any `max_tokens`; with this cap
 * nine million open bookings still add up exactly in a double.
 */
const MAX_BOOKED_TOKENS = 1_000_000_000;

/**
 * Length of one peak window. Engines refresh their gauges once per step or slower, so a report is
 * compared with the most we had in flight over the last one to two windows.
 */
const PEAK_WINDOW_MS = 500;

/**
 * What was booked on one endpoint for one request. The endpoint carries it from the pick on:
 *
 *     book ──► prompt + output ──releasePrompt──► output ──release──► nothing
 *       └───────────────────────────release──────────────────────────────┘
 */
export class Booking {
  /** Slot of the endpoint that carries this booking. */
  readonly slot: number;
  readonly #ledger: Ledger;
  #promptTokens: number;
  #outputTokens: number;
  #hasFirstToken = false;
  #isOpen = true;

  constructor(ledger: Ledger, slot: number, promptTokens: number, outputTokens: number) {
    this.slot = slot;
    this.#ledger = ledger;
    this.#promptTokens = promptTokens;
    this.#outputTokens = outputTokens;
  }

  /** False once released. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The first token came: the prompt is prefilled and no longer ahead of others. Idempotent. */
  releasePrompt(): void {
    if (!this.#isOpen || this.#hasFirstToken) return;
    this.#hasFirstToken = true;
    this.#ledger.addTokens(this.slot, -this.#promptTokens, -this.#promptTokens);
    this.#promptTokens = 0;
    this.#ledger.endPrompt(this);
  }

  /** The request left the endpoint, however it ended: takes off what is left. Idempotent. */
  release(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const tokens = this.#promptTokens + this.#outputTokens;
    this.#ledger.addTokens(this.slot, -tokens, -this.#promptTokens);
    this.#promptTokens = 0;
    this.#outputTokens = 0;
    this.#ledger.endRequest(this);
  }
}

/** The highest value over the last one to two windows, at the cost of three numbers. */
class RecentPeak {
  #currentPeak = 0;
  #previousPeak = 0;
  #windowStartMs = Number.NEGATIVE_INFINITY;

  /** Reads the peak at `nowMs`; `held` is the value that has been current since the last call. */
  read(held: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#windowStartMs;
    if (elapsedMs >= PEAK_WINDOW_MS) {
      this.#previousPeak = elapsedMs >= 2 * PEAK_WINDOW_MS ? held : this.#currentPeak;
      this.#currentPeak = held;
      this.#windowStartMs = nowMs;
    } else if (held > this.#currentPeak) {
      this.#currentPeak = held;
    }
    return Math.max(this.#previousPeak, this.#currentPeak);
  }
}

/** Hears of each booking's progress, once each, after the load was taken off. */
export interface LedgerListener {
  readonly onFirstToken: (booking: Booking) => void;
  readonly onRelease: (booking: Booking) => void;
}

/**
 * What we have sent and not seen end, per endpoint. All counts are integers, so that sums
 * return to exactly zero. A booking is visible in the load table before `book` returns.
 */
export class Ledger {
  readonly #load: LoadColumns;
  readonly #clock: Clock;
  readonly #listener: LedgerListener;
  readonly #peaks: RecentPeak[] = [];

  constructor(load: LoadColumns, clock: Clock, listener: LedgerListener) {
    this.#load = load;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Books one request; token counts are rounded up and capped at a thousand million. */
  book(slot: number, promptTokens: number, outputTokens: number): Booking {
    const promptCount = toTokenCount(promptTokens);
    const outputCount = toTokenCount(outputTokens);
    this.#changeRequests(slot, 1);
    this.addTokens(slot, promptCount + outputCount, promptCount);
    return new Booking(this, slot, promptCount, outputCount);
  }

  /** Open bookings on `slot`. */
  openBookings(slot: number): number {
    return this.#load.requestsInFlight[slot] ?? 0;
  }

  /** The most requests of ours that were in flight on `slot` during the last 0.5 to 1 seconds. */
  recentPeak(slot: number, nowMs: number): number {
    return this.#peakOf(slot).read(this.openBookings(slot), nowMs);
  }

  /** Used by `Booking` alone. */
  addTokens(slot: number, tokens: number, prefillTokens: number): void {
    const load = this.#load;
    load.tokensInFlight[slot] = (load.tokensInFlight[slot] ?? 0) + tokens;
    load.prefillTokensInFlight[slot] = (load.prefillTokensInFlight[slot] ?? 0) + prefillTokens;
  }

  /** Used by `Booking` alone. */
  endPrompt(booking: Booking): void {
    this.#listener.onFirstToken(booking);
  }

  /** Used by `Booking` alone. */
  endRequest(booking: Booking): void {
    this.#changeRequests(booking.slot, -1);
    this.#listener.onRelease(booking);
  }

  #changeRequests(slot: number, change: number): void {
    const held = this.openBookings(slot);
    const nowMs = this.#clock.now();
    this.#load.requestsInFlight[slot] = held + change;
    const peak = this.#peakOf(slot);
    peak.read(held, nowMs);
    if (change > 0) peak.read(held + change, nowMs);
  }

  #peakOf(slot: number): RecentPeak {
    let peak = this.#peaks[slot];
    if (peak === undefined) {
      // Slots are handed out densely, but the first booking may come to any of them.
      while (this.#peaks.length <= slot) this.#peaks.push(new RecentPeak());
      peak = this.#peaks[slot] as RecentPeak;
    }
    return peak;
  }
}

function toTokenCount(tokens: number): number {
  if (!(tokens > 0)) return 0;
  return Math.min(Math.ceil(tokens), MAX_BOOKED_TOKENS);
}
