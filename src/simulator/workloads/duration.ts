import { fail, succeed, type Result } from '../../core/result.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** A year: what is longer is a slip of the keyboard. */
const LONGEST_MS = 365 * 24 * 3_600_000;

/** Reads `500ms`, `1.5s`, `10m` or `2h` as milliseconds; more than 0 unless `least` is 0. */
export function parseDuration(text: string, least: 0 | 1 = 1): Result<number, string> {
  const match = /^(\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(ms|s|m|h)$/.exec(text.trim());
  if (match === null) {
    const hint = /^[\d.]+$/.test(text.trim()) ? `${text.trim()}s` : '500ms, 60s, 10m or 1h';
    return fail(`expected a time with its unit, got ${JSON.stringify(text)}; write ${hint}`);
  }
  const valueMs = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 1);
  if (least === 1 && valueMs <= 0) return fail(`expected a time above 0, got ${text}`);
  if (valueMs > LONGEST_MS) return fail(`expected a year at most, got ${text}`);
  return succeed(valueMs);
}
