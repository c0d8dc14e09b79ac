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
    tier: 0,
    objective: { ttftMs: null, tpotMs: null },
    promptBlocks: 2,
    removed: [{ filter: 'same-zone', count: 1, endpoints: ['10.0.1.1:8000'] }],
    shadow: {
      profile: 'llm-d-default',
      endpoint: '10.0.0.2:8000',
      predictedTtftMs: 190,
      matchedBlocks: 0,
    },
    ordered: [
      {
        endpoint: '10.0.0.1:8000',
        score: 0.9,
        reasons: { work: 0.9, headroom: 0.5 },
        predictedTtftMs: 80,
        predictedTpotMs: 9,
        matchedBlocks: 2,
      },
      {
        endpoint: '10.0.0.2:8000',
        score: 0.4,
        reasons: { work: 0.4, headroom: 0.5 },
        predictedTtftMs: 190,
        predictedTpotMs: 9,
        matchedBlocks: 0,
      },
    ],
    attempts: [],
    outcome: null,
    errorCode: null,
    status: null,
    ttftMs: null,
    tpotMs: null,
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
  record.tpotMs = 4.4;
  record.durationMs = 210;
  record.promptTokens = 118;
  record.completionTokens = 30;
  record.cachedTokens = 16;
}
