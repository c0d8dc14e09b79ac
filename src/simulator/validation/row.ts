/** How far ours may be from the reference; either bound is enough. */
export interface Tolerance {
  /** Of the reference: 0.1 is 10 %. */
  readonly share: number;
  /** In the row's unit, for references given with one digit. */
  readonly absolute?: number;
}

/** One comparison of the lab with what is known. */
export interface ValidationRow {
  readonly setup: string;
  readonly quantity: string;
  /** Published, measured or exact. */
  readonly reference: number;
  readonly ours: number;
  readonly unit: string;
  /** Digits after the point that the page shows. */
  readonly digits: number;
  /** Null where the reference is for orientation only. */
  readonly tolerance: Tolerance | null;
  /** Where the gap comes from. */
  readonly cause: string;
}

/** Ours by the reference, less 1. */
export function gapOf({ ours, reference }: ValidationRow): number {
  return ours / reference - 1;
}

/** Whether a row is within its tolerance. */
export function isWithin(row: ValidationRow): boolean {
  const { tolerance, ours, reference } = row;
  if (tolerance === null) return true;
  if (Math.abs(gapOf(row)) <= tolerance.share) return true;
  return Math.abs(ours - reference) <= (tolerance.absolute ?? 0);
}

/** One line for people: what was expected, what came, how far that is. */
export function describeRow(row: ValidationRow): string {
  const { setup, quantity, reference, ours, unit, digits } = row;
  const numbers = `${ours.toFixed(digits)} against ${reference.toFixed(digits)} ${unit}`;
  return `${setup}, ${quantity}: ${numbers.trim()} (${formatGap(gapOf(row))})`;
}

/** A gap in percent with its sign: whole from 10 % on. */
export function formatGap(gap: number): string {
  const percent = gap * 100;
  const digits = Math.abs(percent) < 9.95 ? 1 : 0;
  const text = percent.toFixed(digits);
  const isZero = Number(text) === 0;
  return `${percent > 0 && !isZero ? '+' : ''}${isZero ? '0' : text} %`;
}
