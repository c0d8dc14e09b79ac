import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../core/virtual-clock.ts';
import type { TrafficSource } from '../workloads/types.ts';
import { LoadCollector } from './load-collector.ts';
import { createLoadReport } from './load-report.ts';
import { LoadRun } from './load-run.ts';
import type { MeasuredReport } from './measured-report.ts';
import { RequestWriter } from './request-writer.ts';
import {
  ANYTHING,
  ChainTraffic,
  createTestRequest,
  ListTraffic,
} from './testing/traffic-builders.ts';
import { VirtualServer, type VirtualServerOptions } from './testing/virtual-server.ts';

interface Trial {
  readonly traffic: TrafficSource;
  readonly server: VirtualServerOptions;
  readonly maxOpenRequests?: number;
  readonly durationMs?: number;
  readonly timeoutMs?: number;
  readonly warmUpMs?: number;
  readonly ttftLimitMs?: number;
  /** Stops the run at this virtual time. */
  readonly stopAtMs?: number;
}

async function runTrial(trial: Trial): Promise<{ report: MeasuredReport; server: VirtualServer }> {
  const clock = new VirtualClock();
  const server = new VirtualServer(clock, trial.server);
  const objective = { ...ANYTHING, ttftMs: trial.ttftLimitMs ?? null };
  const collector = new LoadCollector({ warmUpMs: trial.warmUpMs ?? 0, objective });
  const maxOpenRequests = trial.maxOpenRequests ?? 100;
  const run = new LoadRun({
    traffic: trial.traffic,
    transport: server,
    writer: new RequestWriter({
      api: 'chat',
      model: 'm',
      salt: 1,
      ignoresEnd: true,
      headers: {},
    }),
    clock,
    durationMs: trial.durationMs ?? 10_000,
    timeoutMs: trial.timeoutMs ?? 60_000,
    maxOpenRequests,
    onEnded: (ended) => {
      collector.note(ended);
    },
  });
  const done = run.run();
  if (trial.stopAtMs !== undefined) {
    clock.setTimer(trial.stopAtMs, () => {
      run.stop();
    });
  }
  for (let steps = 0; steps < 100_000 && run.status === null; steps += 1) clock.step();
  const config = {
    kind: 'bench',
    workload: null,
    trace: null,
    arrivals: null,
    load: 1,
    seed: 1,
    duration_seconds: 10,
    warm_up_seconds: 0,
    policy: null,
    target: null,
    model: 'm',
  } as const;
  const report = createLoadReport({
    collector,
    run,
    status: await done,
    config,
    objective,
    maxOpenRequests,
  });
  return { report, server };
}

const close = (actual: number | undefined, expected: number): void => {
  assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-9, `${actual} is not ${expected}`);
};

test('requests leave at their times while earlier ones are open', async () => {
  const requests = [0, 100, 200, 300].map((atMs, index) => createTestRequest(index, { atMs }));
  const { report, server } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 1000, tokenMs: 0 },
  });
  assert.equal(server.requests.length, 4);
  assert.equal(report.penstock?.status, 'finished');
  assert.equal(report.load_summary.schedule_delay?.max, 0);
  // The server takes one at a time: each waits for those before it.
  const ttft = report.successes.latency.time_to_first_token;
  close(ttft?.min, 1);
  close(ttft?.max, 4 - 0.3);
  close(report.load_summary.requested_rate, 4 / 0.3);
  close(report.successes.throughput.output_tokens_per_sec, 12 / 4);
});

test('waiting in the client counts from the planned time, and is told apart', async () => {
  // One connection, a server of 1 s per request, ten requests planned within the first second: a
  // client that counted from sending would report 1 s for each of them.
  const requests = Array.from({ length: 10 }, (_, index) =>
    createTestRequest(index, { atMs: index * 100 }),
  );
  const { report } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 1000, tokenMs: 0 },
    maxOpenRequests: 1,
  });
  const planned = report.successes.latency;
  const sent = report.penstock?.latency_from_sending;
  close(sent?.request_latency?.max, 1);
  close(sent?.time_to_first_token?.median, 1);
  close(planned.request_latency?.min, 1);
  // Request n ends at n + 1 s and was planned for n / 10 s.
  close(planned.request_latency?.max, 10 - 0.9);
  close(planned.request_latency?.mean, 5.5 - 0.45);
  close(report.load_summary.schedule_delay?.max, 9 - 0.9);
  assert.equal(report.penstock?.client?.held_back, 9);
  assert.match(report.penstock.client.warnings.join(), /9 requests waited because 1 were open/);
});

test('goodput is judged from the planned time', async () => {
  const requests = Array.from({ length: 4 }, (_, index) => createTestRequest(index, { atMs: 0 }));
  const { report } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 1000, tokenMs: 0 },
    maxOpenRequests: 1,
    ttftLimitMs: 2500,
  });
  assert.equal(report.successes.goodput_metrics?.good_requests, 2);
  assert.equal(report.successes.goodput_metrics.total_requests, 4);
});

test('a closed loop sends when the answer has come', async () => {
  const requests = Array.from({ length: 3 }, (_, index) => createTestRequest(index));
  const { report } = await runTrial({
    traffic: new ChainTraffic(requests, { thinkMs: 50 }),
    server: { firstTokenMs: 100, tokenMs: 10 },
  });
  const { latency } = report.successes;
  close(latency.request_latency?.max, 0.12);
  close(latency.time_per_output_token?.mean, 0.01);
  close(latency.inter_token_latency?.mean, 0.01);
  close(report.benchmark_time_seconds, 3 * 0.12 + 2 * 0.05);
});

test('requests of the warm-up and those planned after the end do not count', async () => {
  const requests = [0, 500, 1500, 2500].map((atMs, index) => createTestRequest(index, { atMs }));
  const { report, server } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 10, tokenMs: 0 },
    warmUpMs: 400,
    durationMs: 2000,
  });
  assert.equal(server.requests.length, 3);
  assert.equal(report.load_summary.count, 2);
});

test('a run ends by itself when answers do not come', async () => {
  const requests = Array.from({ length: 30 }, (_, index) => createTestRequest(index, { atMs: 0 }));
  const { report } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 1000, tokenMs: 0 },
    maxOpenRequests: 2,
    durationMs: 1000,
    timeoutMs: 5000,
  });
  assert.equal(report.penstock?.status, 'saturated');
  assert.equal(report.successes.count + report.failures.count + report.penstock.unanswered, 30);
  assert.ok(report.penstock.unanswered > 0);
});

test('a request without an answer in time is a timeout', async () => {
  const { report } = await runTrial({
    traffic: new ListTraffic([createTestRequest(0)]),
    server: { firstTokenMs: 1000, tokenMs: 600 },
    timeoutMs: 2000,
  });
  assert.equal(report.failures.by_label['Timeout']?.count, 1);
  assert.equal(report.successes.latency.time_to_first_token, null);
});

test('stopping gives what there is', async () => {
  const requests = Array.from({ length: 20 }, (_, index) =>
    createTestRequest(index, { atMs: index * 100 }),
  );
  const { report, server } = await runTrial({
    traffic: new ListTraffic(requests),
    server: { firstTokenMs: 150, tokenMs: 0 },
    stopAtMs: 1010,
  });
  assert.equal(report.penstock?.status, 'interrupted');
  assert.equal(report.successes.count, 6);
  assert.equal(report.penstock.unanswered, server.requests.length - 6);
  assert.equal(report.failures.count, 0);
});
