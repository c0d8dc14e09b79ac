import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRequest } from '../workloads/request.ts';
import type { LabRequest } from '../workloads/types.ts';
import { StageMeter } from './stage-meter.ts';
import { CrowdTraffic, StagedTraffic } from './staged-traffic.ts';

function create(atMs: number, number: number): LabRequest {
  const segments = [{ id: number, tokens: 10 }];
  const output = { id: number + 1000, tokens: 3 };
  return createRequest({ atMs, session: number, tenant: 'tenant', segments, output });
}

describe('a ladder', () => {
  const stages = [
    { requestsPerSecond: 10, durationSeconds: 2 },
    { requestsPerSecond: 5, durationSeconds: 1 },
  ];

  it('begins a stage when everything before is answered and the pause is over', () => {
    const traffic = new StagedTraffic({ seed: 1, stages, pauseMs: 500, create });
    const first = Array.from({ length: 20 }, () => traffic.take());
    assert.equal(traffic.expectedCount, 25);
    assert.equal(traffic.nextAtMs(), Number.POSITIVE_INFINITY);
    assert.deepEqual(new Set(first.map((request) => traffic.stageOf(request))), new Set([0]));
    for (const request of first.slice(1)) traffic.noteEnded(request, 4000);
    assert.equal(traffic.nextAtMs(), Number.POSITIVE_INFINITY);
    traffic.noteEnded(first[0]!, 9000);
    assert.ok(traffic.nextAtMs() > 9500);
    assert.equal(traffic.stageOf(traffic.take()), 1);
  });

  it('does not begin a stage in the middle of one whose requests have all been answered', () => {
    const traffic = new StagedTraffic({ seed: 1, stages, pauseMs: 500, create });
    const request = traffic.take();
    const nextAtMs = traffic.nextAtMs();
    traffic.noteEnded(request, request.atMs + 1);
    assert.equal(traffic.nextAtMs(), nextAtMs);
  });

  it('ends after the last stage', () => {
    const traffic = new StagedTraffic({ seed: 1, stages: stages.slice(1), pauseMs: 0, create });
    const taken = Array.from({ length: 5 }, () => traffic.take());
    for (const request of taken) traffic.noteEnded(request, 5000);
    assert.equal(traffic.nextAtMs(), Number.POSITIVE_INFINITY);
  });
});

it('a crowd keeps as many open as it may, and no more', () => {
  const traffic = new CrowdTraffic({ requests: 3, concurrency: 2, create });
  const first = traffic.take();
  traffic.take();
  assert.equal(traffic.nextAtMs(), Number.POSITIVE_INFINITY);
  traffic.noteEnded(first, 70);
  assert.equal(traffic.nextAtMs(), 70);
  traffic.noteEnded(traffic.take(), 90);
  assert.equal(traffic.nextAtMs(), Number.POSITIVE_INFINITY);
});

it('a stage is measured from its first request to its last answer', () => {
  const meter = new StageMeter();
  for (const [number, atMs] of [1000, 2000].entries()) {
    meter.note(0, {
      request: create(atMs, number),
      isCompleted: true,
      firstTokenAtMs: atMs + 100,
      endedAtMs: atMs + 1100,
      outputTokens: 11,
    });
  }
  const [stage] = meter.stages();
  assert.deepEqual(stage, {
    requests: 2,
    spanSeconds: 2.1,
    outputTokensPerSecond: 22 / 2.1,
    ttftMeanSeconds: 0.1,
    ttftP50Seconds: 0.1,
    ttftP90Seconds: 0.1,
    tpotMeanMs: 100,
  });
});
