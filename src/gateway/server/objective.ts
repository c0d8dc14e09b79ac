import type { IncomingHttpHeaders } from 'node:http';
import type { Result } from '../../core/result.ts';
import { fail, succeed } from '../../core/result.ts';
import type { LatencyObjective } from '../../scheduler/types.ts';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { TPOT_HEADERS, TTFT_HEADERS } from './client-headers.ts';

/** Numbers with at most three decimals, below 11 days. */
const NUMBER_PATTERN = /^\d{1,9}(?:\.\d{1,3})?$/;

/** The latency objective that a request's headers ask for, or what is wrong with them. */
export function readObjective(headers: IncomingHttpHeaders): Result<LatencyObjective, string> {
  const ttft = readFirst(headers, TTFT_HEADERS);
  if (!ttft.ok) return ttft;
  const tpot = readFirst(headers, TPOT_HEADERS);
  if (!tpot.ok) return tpot;
  if (ttft.value === null && tpot.value === null) return succeed(NO_OBJECTIVE);
  return succeed({ ttftMs: ttft.value, tpotMs: tpot.value });
}

function readFirst(
  headers: IncomingHttpHeaders,
  names: readonly string[],
): Result<number | null, string> {
  for (const name of names) {
    const text = headers[name];
    if (text === undefined) continue;
    const value = typeof text === 'string' && NUMBER_PATTERN.test(text) ? Number(text) : 0;
    if (value > 0) return succeed(value);
    return fail(`The header ${name} must be a positive number of milliseconds, such as 250.`);
  }
  return succeed(null);
}
