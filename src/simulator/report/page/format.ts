// Numbers as people read them. These functions also run inside the page (see page/page-script.ts):
// they may call each other and nothing else.

/** What stands where there is no value. */
export function dash(): string {
  return '–';
}

/** Three significant digits, thousands set apart: `0.412`, `1,230`; a dash for no number. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return dash();
  if (value === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  const text = value.toFixed(Math.min(digits, 4));
  const [whole = '', fraction = ''] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const kept = fraction.replace(/0+$/, '');
  return kept === '' ? grouped : `${grouped}.${kept}`;
}

/** A share of 0 to 1 in per cent, for texts: `92 %`, `99.4 %`. Spaces before units do not break. */
export function formatShare(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return dash();
  return `${Number((share * 100).toFixed(1))}\u00a0%`;
}

/** The same for columns, always with a decimal, but for nothing and all. */
export function formatShareCell(share: number): string {
  return share === 0 || share === 1 ? formatShare(share) : `${(share * 100).toFixed(1)}\u00a0%`;
}

/** A time in the unit that suits it: `0.42 ms`, `412 ms`, `1.9 s`, `3.2 min`. */
export function formatMs(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return dash();
  if (ms < 1000) return `${formatNumber(ms)}\u00a0ms`;
  if (ms < 120_000) return `${formatNumber(ms / 1000)}\u00a0s`;
  return `${formatNumber(ms / 60_000)}\u00a0min`;
}

/** A time at a tick of a logarithmic axis, in powers of ten of a unit: `10 ms`, `1,000 s`. */
export function formatMsTick(ms: number): string {
  return ms < 1000 ? formatMs(ms) : `${formatNumber(ms / 1000)}\u00a0s`;
}

/** A point in time of a run: `45 s`, `3:20`, `1:05:00`. */
export function formatClock(seconds: number): string {
  if (seconds < 60) return `${formatNumber(seconds)}\u00a0s`;
  const whole = Math.round(seconds);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}:${pad(whole % 60)}`;
  return `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(whole % 60)}`;
}
