const DATE =
  /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Milliseconds of a time stamp, or null: a date such as `2023-11-16 18:15:46.6805900`, taken as UTC
 * when it names no zone, with up to nine digits of a second, or a plain number of seconds.
 */
export function parseTimestamp(text: string): number | null {
  const match = DATE.exec(text);
  if (match === null) return parseSeconds(text);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as Six;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // The 31st of February would quietly become a day in March.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  const fractionMs = Number(`0.${match[7] ?? '0'}`) * 1000;
  return date.getTime() + fractionMs - zoneMs(match[8]);
}

type Six = [number, number, number, number, number, number];

function parseSeconds(text: string): number | null {
  if (!/^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) return null;
  const seconds = Number(text);
  return Number.isFinite(seconds) ? seconds * 1000 : null;
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return minutes * 60_000 * (digits.startsWith('-') ? -1 : 1);
}
