import type { Clock } from '../../core/clock.ts';
import type { GoodputObjective, TrafficSource } from '../workloads/types.ts';
import { LoadCollector, type EndedRequest } from './load-collector.ts';
import { createLoadReport } from './load-report.ts';
import { LoadRun } from './load-run.ts';
import type { MeasuredConfig, MeasuredReport } from './measured-report.ts';
import { RequestWriter, type RequestWriterOptions } from './request-writer.ts';
import type { LoadTransport } from './transport.ts';

/** A whole load run. Times in milliseconds. */
export interface LoadOptions {
  readonly traffic: TrafficSource;
  readonly transport: LoadTransport;
  readonly clock: Clock;
  readonly requests: RequestWriterOptions;
  readonly objective: GoodputObjective;
  /** What the report says of the run. Its times are those of the run. */
  readonly config: MeasuredConfig;
  /** Of one request, and of the time after the last one was planned. */
  readonly timeoutMs: number;
  readonly maxOpenRequests: number;
  /** Hears of each request, in the order of their ends; null for nobody. */
  readonly onEnded: ((ended: EndedRequest) => void) | null;
}

/** A load run under way. */
export interface RunningLoad {
  readonly run: LoadRun;
  /** Resolves when the run has ended, by itself or by `run.stop()`. */
  readonly report: Promise<MeasuredReport>;
}

/** Sends the load of a traffic source to a server and measures what comes back. */
export function startLoad(options: LoadOptions): RunningLoad {
  const { traffic, transport, clock, config, objective, maxOpenRequests } = options;
  const warmUpMs = config.warm_up_seconds * 1000;
  const collector = new LoadCollector({ warmUpMs, objective });
  const run = new LoadRun({
    traffic,
    transport,
    clock,
    writer: new RequestWriter(options.requests),
    durationMs: config.duration_seconds * 1000,
    timeoutMs: options.timeoutMs,
    maxOpenRequests,
    onEnded: (ended) => {
      collector.note(ended);
      options.onEnded?.(ended);
    },
  });
  const report = run
    .run()
    .then((status) =>
      createLoadReport({ collector, run, status, config, objective, maxOpenRequests }),
    );
  return { run, report };
}
