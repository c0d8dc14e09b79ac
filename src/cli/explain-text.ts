import type { ShadowReport } from '../gateway/admin/shadow-report.ts';
import type { DecisionRecord, RankedEndpoint } from '../telemetry/decision-log.ts';

/** A decision as a person reads it. */
export function renderDecision(record: DecisionRecord): string {
  return [...renderRequest(record), ...renderChoice(record), ...renderEnd(record), ''].join('\n');
}

function renderRequest(record: DecisionRecord): string[] {
  const { clientModel, model, pool, tier, objective, promptTokensEstimate, maxTokens } = record;
  const limit = maxTokens === null ? 'no output limit' : `at most ${maxTokens} output tokens`;
  const lines = [
    `${record.requestId}  ${new Date(record.atMs).toISOString()}  ${record.api}`,
    `  model      ${clientModel} -> ${model} in pool ${pool}, tier ${tier}`,
    `  size       about ${promptTokensEstimate} prompt tokens, ${limit}, ${record.promptBlocks} prompt blocks`,
  ];
  if (objective.ttftMs !== null || objective.tpotMs !== null) {
    const { ttftMs, tpotMs } = objective;
    lines.push(
      `  objective  first token ${milliseconds(ttftMs)}, per token ${milliseconds(tpotMs)}`,
    );
  }
  return lines;
}

function renderChoice(record: DecisionRecord): string[] {
  const { candidateCount, availableCount, removed, ordered, shadow } = record;
  const lines = [`  endpoints  ${candidateCount} serve it, ${availableCount} available`];
  for (const { filter, count, endpoints } of removed) {
    const more = count > endpoints.length ? ', …' : '';
    lines.push(`  removed    ${count} by ${filter}: ${endpoints.join(', ')}${more}`);
  }
  lines.push('', ...renderTable(ordered), '');
  if (shadow !== null) {
    const choice = shadow.endpoint ?? 'no endpoint';
    const agrees = shadow.endpoint === ordered[0]?.endpoint ? 'the same' : 'another';
    lines.push(`  shadow     ${shadow.profile} would have taken ${agrees}: ${choice}`);
  }
  return lines;
}

function renderTable(ordered: readonly RankedEndpoint[]): string[] {
  const scorers = Object.keys(ordered[0]?.reasons ?? {});
  const header = ['endpoint', 'score', 'TTFT', 'TPOT', 'blocks', ...scorers];
  const rows = ordered.map((ranked) => [
    ranked.endpoint,
    ranked.score.toFixed(3),
    milliseconds(ranked.predictedTtftMs),
    milliseconds(ranked.predictedTpotMs),
    String(ranked.matchedBlocks),
    ...scorers.map((scorer) => ranked.reasons[scorer]?.toFixed(3) ?? 'failed'),
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)),
  );
  return [header, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

function renderEnd(record: DecisionRecord): string[] {
  const { attempts, outcome, status, errorCode, ttftMs, tpotMs, durationMs } = record;
  const lines = attempts.map(
    ({ endpoint, result, ms }) => `  attempt    ${endpoint}: ${result} after ${milliseconds(ms)}`,
  );
  if (outcome === null) return [...lines, '  outcome    not ended yet'];
  const speed = `first token ${milliseconds(ttftMs)}, per token ${milliseconds(tpotMs)}`;
  lines.push(`  actual     ${speed}, ${milliseconds(durationMs)} in all`);
  if (record.promptTokens !== null) {
    const cached = record.cachedTokens === null ? '' : ` (${record.cachedTokens} cached)`;
    lines.push(
      `  usage      ${record.promptTokens} prompt tokens${cached}, ${record.completionTokens ?? 0} output`,
    );
  }
  const code = errorCode === null ? '' : `, ${errorCode}`;
  lines.push(`  outcome    ${outcome}, status ${status ?? 0}${code}`);
  return lines;
}

function milliseconds(value: number | null): string {
  if (value === null) return '-';
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

/** A shadow policy's report as a person reads it. */
export function renderShadowReport(report: ShadowReport): string {
  const { profile, decisions, same, routed, shadow, endpoints } = report;
  if (profile === null) {
    return 'No kept decision has a shadow. Set scheduling.shadow in the configuration.\n';
  }
  const share = decisions === 0 ? 0 : Math.round((100 * same) / decisions);
  const rows = endpoints.map(
    (each) => `    ${each.endpoint}  ${each.routed} routed, ${each.shadow} by the shadow`,
  );
  return [
    `shadow policy ${profile} over the last ${decisions} decisions`,
    `  same endpoint   ${same} (${share} %)`,
    `  predicted TTFT  ${milliseconds(routed.predictedTtftMs)} routed, ${milliseconds(shadow.predictedTtftMs)} by the shadow`,
    `  prompt blocks   ${blocks(routed.matchedBlocks)} matched routed, ${blocks(shadow.matchedBlocks)} by the shadow`,
    '  first choices',
    ...rows,
    '',
  ].join('\n');
}

function blocks(value: number | null): string {
  return value === null ? '-' : value.toFixed(1);
}
