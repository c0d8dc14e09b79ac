/** A request header that the gateway obeys. */
export interface ClientHeader {
  /** Spellings, lower case; of several in one request the first of this list counts. */
  readonly names: readonly string[];
  /** Obeyed only where the listener is marked internal, else ignored. */
  readonly isInternalOnly: boolean;
}

/** Longest time for the whole request, in milliseconds; shortens what is configured. */
export const TIMEOUT_HEADER = 'x-penstock-timeout-ms';

/** Id of the only endpoint to use. */
export const ENDPOINT_HEADER = 'x-penstock-endpoint';

/** With any value: the answer says why its endpoint was chosen. */
export const WHY_HEADER = 'x-penstock-why';

/** Headers that ask for a time to first token, in milliseconds; ours first, then the field's. */
export const TTFT_HEADERS: readonly string[] = Object.freeze([
  'x-penstock-slo-ttft-ms',
  'x-llm-d-slo-ttft-ms',
  'x-slo-ttft-ms',
]);

/** Headers that ask for a time per output token, in milliseconds; ours first, then the field's. */
export const TPOT_HEADERS: readonly string[] = Object.freeze([
  'x-penstock-slo-tpot-ms',
  'x-llm-d-slo-tpot-ms',
  'x-slo-tpot-ms',
]);

/** Every such header; `docs/reference/http.md` is compared with the list by a test. */
export const CLIENT_HEADERS: readonly ClientHeader[] = Object.freeze([
  { names: [TIMEOUT_HEADER], isInternalOnly: false },
  { names: TTFT_HEADERS, isInternalOnly: false },
  { names: TPOT_HEADERS, isInternalOnly: false },
  { names: [ENDPOINT_HEADER], isInternalOnly: true },
  { names: [WHY_HEADER], isInternalOnly: true },
]);
