import type { MetricFamily, MetricsRegistry } from './registry.ts';
import { HistogramSeries } from './series.ts';

/** Content type of the text that `renderPrometheus` makes. */
export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * The registry as Prometheus text, format version 0.0.4. Metrics without a series are left out.
 * Source: prometheus.io/docs/instrumenting/exposition_formats.
 */
export function renderPrometheus(registry: MetricsRegistry): string {
  const lines: string[] = [];
  for (const family of registry.collect()) renderFamily(family, lines);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function renderFamily(family: MetricFamily, lines: string[]): void {
  const { definition, series } = family;
  const headIndex = lines.length;
  for (const one of series.values()) {
    if (one instanceof HistogramSeries) renderHistogram(definition.name, one, lines);
    else if (!Number.isNaN(one.value)) {
      lines.push(`${named(definition.name, one.text)} ${formatValue(one.value)}`);
    }
  }
  if (lines.length === headIndex) return;
  lines.splice(
    headIndex,
    0,
    `# HELP ${definition.name} ${escapeHelp(definition.help)}`,
    `# TYPE ${definition.name} ${definition.kind}`,
  );
}

function renderHistogram(name: string, series: HistogramSeries, lines: string[]): void {
  const prefix = series.text === '' ? '' : `${series.text},`;
  const { bounds, counts } = series;
  let total = 0;
  for (let index = 0; index < bounds.length; index += 1) {
    total += counts[index] ?? 0;
    lines.push(`${name}_bucket{${prefix}le="${formatValue(bounds[index] ?? 0)}"} ${total}`);
  }
  total += counts[bounds.length] ?? 0;
  lines.push(
    `${name}_bucket{${prefix}le="+Inf"} ${total}`,
    `${named(`${name}_sum`, series.text)} ${formatValue(series.sum)}`,
    `${named(`${name}_count`, series.text)} ${total}`,
  );
}

function named(name: string, labels: string): string {
  return labels === '' ? name : `${name}{${labels}}`;
}

/** Numbers as Go's ParseFloat reads them; JavaScript differs only in the infinities. */
function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** Backslash and line feed are escaped in help texts; quotes are not. */
function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
