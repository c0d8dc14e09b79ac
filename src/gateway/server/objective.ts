import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { LatencyObjective } from '../../scheduler/types.ts';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { TPOT_HEADERS, TTFT_HEADERS } from './client-headers.ts';
import type { RequestHead } from './request-head.ts';
import { findField } from './request-head.ts';

/** Numbers with at most three decimals, below 11 days. */
const NUMBER_PATTERN = /^\d{1,9}(?:\.\d{1,3})?$/;

const NONE: Result<LatencyObjective, string> = succeed(NO_OBJECTIVE);

/** The latency objective that a request's headers ask for, or what is wrong with them. */
export function readObjective(head: RequestHead): Result<LatencyObjective, string> {
  if (!head.hasObeyed) return NONE;
  const ttft = readFirst(head, TTFT_HEADERS);
  if (!ttft.ok) return ttft;
  const tpot = readFirst(head, TPOT_HEADERS);
  if (!tpot.ok) return tpot;
  if (ttft.value === null && tpot.value === null) return succeed(NO_OBJECTIVE);
  return succeed({ ttftMs: ttft.value, tpotMs: tpot.value });
}

function readFirst(head: RequestHead, names: readonly string[]): Result<number | null, string> {
  for (const name of names) {
    const text = findField(head, name);
    if (text === null) continue;
    const value = NUMBER_PATTERN.test(text) ? Number(text) : 0;
    if (value > 0) return succeed(value);
    return fail(`The header ${name} must be a positive number of milliseconds, such as 250.`);
  }
  return succeed(null);
}
