import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from '../lib/child.ts';
import { BenchFailure } from '../lib/failure.ts';
import type { Lab } from '../lib/lab.ts';
import type { ClosedLoopOptions, LoadResult } from './load-result.ts';

/** Rotates over the body files given as arguments and reports one line of JSON. */
const SCRIPT = `
local requests, turn = {}, 0
function init(files)
  local headers = { ["content-type"] = "application/json", ["authorization"] = "Bearer bench" }
  for i = 1, #files do
    local file = assert(io.open(files[i], "rb"))
    requests[i] = wrk.format("POST", "/v1/chat/completions", headers, file:read("*a"))
    file:close()
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"durationMs":%f,"failures":%d,"p50Ms":%f,"p99Ms":%f}\\n',
    summary.requests, summary.duration / 1000, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
`;

/** wrk with one thread on the load core, posting the given bodies in turn. */
export class WrkLoad {
  readonly #lab: Lab;
  readonly #scriptFile: string;
  readonly #bodyFiles: readonly string[];

  constructor(lab: Lab, bodies: readonly string[]) {
    this.#lab = lab;
    const directory = mkdtempSync(join(lab.tempDir, 'wrk-'));
    this.#scriptFile = join(directory, 'post.lua');
    writeFileSync(this.#scriptFile, SCRIPT);
    this.#bodyFiles = bodies.map((body, index) => {
      const file = join(directory, `body-${index}.json`);
      writeFileSync(file, body);
      return file;
    });
  }

  /** Runs a closed loop; wrk counts in whole seconds, so `durationMs` is rounded up. */
  async runClosedLoop(options: ClosedLoopOptions): Promise<LoadResult> {
    const seconds = Math.ceil(options.durationMs / 1000);
    const wrk = ['wrk', '-t1', `-c${options.connections}`, `-d${seconds}s`, '--timeout', '10s'];
    const url = `http://127.0.0.1:${options.port}/`;
    const child = new Child([...wrk, '-s', this.#scriptFile, url, '--', ...this.#bodyFiles], {
      name: 'wrk',
      cpu: this.#lab.cpus.loadCpu,
      cleanup: this.#lab.cleanup,
      channel: 'none',
    });
    const timer = setTimeout(() => void child.stop(), (seconds + 10) * 1000);
    await child.exited();
    clearTimeout(timer);
    const line = child.logTail.split('\n').find((text) => text.startsWith('{"requests"'));
    if (line === undefined) throw new BenchFailure(`wrk gave no result:\n${child.logTail}`);
    return JSON.parse(line) as LoadResult;
  }
}
