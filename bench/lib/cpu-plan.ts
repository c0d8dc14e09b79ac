import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BenchFailure } from './failure.ts';

/** Which core runs the proxy under test and which one runs upstream, load and the bench itself. */
export interface CpuPlan {
  readonly proxyCpu: number;
  readonly loadCpu: number;
}

/** Takes the first two cores this process may use, and moves this process to the second. */
export function claimCores(): CpuPlan {
  const status = readFileSync('/proc/self/status', 'latin1');
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(status)?.[1] ?? '';
  const [proxyCpu, loadCpu] = parseCpuList(list);
  if (proxyCpu === undefined || loadCpu === undefined) {
    throw new BenchFailure('two cores are needed: one for the proxy, one for upstream and load');
  }
  execFileSync('taskset', ['-a', '-c', '-p', String(loadCpu), String(process.pid)], {
    stdio: 'ignore',
  });
  return { proxyCpu, loadCpu };
}

/** Lets this process, and threads it starts from now on, use both cores again. */
export function shareCores({ proxyCpu, loadCpu }: CpuPlan): void {
  execFileSync('taskset', ['-a', '-c', '-p', `${proxyCpu},${loadCpu}`, String(process.pid)], {
    stdio: 'ignore',
  });
}

/** Reads a kernel CPU list such as `0-3,8`. */
export function parseCpuList(list: string): readonly number[] {
  return list.split(',').flatMap((part) => {
    const [first, last] = part.split('-').map(Number);
    if (first === undefined || Number.isNaN(first) || part === '') return [];
    const end = last ?? first;
    return Array.from({ length: end - first + 1 }, (_, index) => first + index);
  });
}
