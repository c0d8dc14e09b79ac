import { readdirSync, readFileSync } from 'node:fs';

/** `USER_HZ`: what `/proc/<pid>/stat` counts in on every Linux port that Node supports. */
const TICKS_PER_SECOND = 100;

/**
 * CPU time that all threads of process `pid` have used, in microseconds. Reads the scheduler's
 * nanosecond counters; where the kernel lacks them, the 10 ms ticks of `/proc/<pid>/stat`. Threads
 * that have ended are not in the first: Node's pools live as long as the process.
 */
export function readCpuUs(pid: number): number {
  const nanoseconds = readThreadNanoseconds(pid);
  return nanoseconds === null ? readTickUs(pid) : nanoseconds / 1000;
}

function readThreadNanoseconds(pid: number): number | null {
  let total = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const text = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1');
      total += Number(text.slice(0, text.indexOf(' ')));
    } catch {
      return null;
    }
  }
  return total;
}

/** Fields 14 and 15 of proc_pid_stat(5), counted after the parenthesised command name. */
function readTickUs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return (ticks * 1_000_000) / TICKS_PER_SECOND;
}

/**
 * Resident memory of process `pid` in bytes (`VmRSS` of `/proc/<pid>/status`, which counts in KiB).
 */
export function readResidentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return match === null ? Number.NaN : Number(match[1]) * 1024;
}
