import type { DecisionRecord } from '../decision-log.ts';

/** A record of a request that runs, with `changes` applied. */
export function createDecisionRecord(changes: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    requestId: 'request-1',
    atMs: 1_700_000_000_000,
    api: 'chat-completions',
    clientModel: 'chat',
    model: 'llama-3-8b',
    pool: 'llama',
    adapter: null,
    stream: true,
    promptTokensEstimate: 120,
    maxTokens: 64,
    candidateCount: 2,
    availableCount: 2,
    ordered: [
      { endpoint: '10.0.0.1:8000', score: 0.9, reasons: { work: 0.9, headroom: 0.5 } },
      { endpoint: '10.0.0.2:8000', score: 0.4, reasons: { work: 0.4, headroom: 0.5 } },
    ],
    attempts: [],
    outcome: null,
    errorCode: null,
    status: null,
    ttftMs: null,
    durationMs: null,
    promptTokens: null,
    completionTokens: null,
    cachedTokens: null,
    ...changes,
  };
}

/** Fills in the fields of a request that has ended well. */
export function completeRecord(record: DecisionRecord): void {
  record.attempts.push({ endpoint: '10.0.0.1:8000', result: 'ok', ms: 210 });
  record.outcome = 'completed';
  record.status = 200;
  record.ttftMs = 80;
  record.durationMs = 210;
  record.promptTokens = 118;
  record.completionTokens = 30;
  record.cachedTokens = 16;
}
