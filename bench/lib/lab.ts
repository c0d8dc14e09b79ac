import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cleanup } from './cleanup.ts';
import { claimCores, type CpuPlan } from './cpu-plan.ts';
import { BenchFailure } from './failure.ts';

/**
 * What is measured: the gateway, or the bare raw-socket proxy to see what the harness itself can
 * show.
 */
export type SubjectKind = 'penstock' | 'raw-proxy';

/** What a matrix of runs is cut down to; null where nothing is said. */
export interface Selection {
  readonly workloads: readonly string[] | null;
  readonly policies: readonly string[] | null;
  readonly seeds: readonly string[] | null;
  readonly loads: readonly string[] | null;
}

/** What one run is asked to do. */
export interface RunOptions {
  /** Fewer and shorter rounds: the whole run stays under 45 s. */
  readonly isQuick: boolean;
  readonly subject: SubjectKind;
  /**
   * Where the gateway writes a CPU profile of the whole run when it stops; null: it is not
   * profiled.
   */
  readonly profileDir: string | null;
  /** For the bench of policies. */
  readonly only: Selection;
}

/** Everything a bench needs to start processes and to leave nothing behind. */
export interface Lab extends RunOptions {
  readonly cpus: CpuPlan;
  /** Removed at the end. */
  readonly tempDir: string;
  readonly cleanup: Cleanup;
  /** Version of the nginx on PATH; null: the reference is the bare raw-socket proxy. */
  readonly nginxVersion: string | null;
  /** Whether wrk is on PATH; otherwise the bench's own generator makes the load. */
  readonly hasWrk: boolean;
}

/** Looks at the machine and claims what a run needs; `cleanup` gives it back. */
export function openLab(options: RunOptions, cleanup: Cleanup): Lab {
  if (process.platform !== 'linux') {
    throw new BenchFailure('the benches read /proc and pin processes: they run on Linux only');
  }
  const cpus = claimCores();
  const tempDir = mkdtempSync(join(tmpdir(), 'penstock-bench-'));
  cleanup.add(() => rmSync(tempDir, { recursive: true, force: true }));
  const nginx = probeTool('nginx', ['-v']);
  return {
    ...options,
    cpus,
    tempDir,
    cleanup,
    nginxVersion: nginx === null ? null : (/nginx\/(\S+)/.exec(nginx)?.[1] ?? 'unknown'),
    hasWrk: probeTool('wrk', ['-v']) !== null,
  };
}

/** The name of the reference as the reports give it. */
export function referenceName(lab: Lab): string {
  return lab.nginxVersion === null ? 'raw-proxy' : `nginx ${lab.nginxVersion}`;
}

/**
 * What a tool prints about its version; null when it is not on PATH. Both wrk and nginx use stderr.
 */
function probeTool(tool: string, args: readonly string[]): string | null {
  try {
    return execFileSync(
      'sh',
      ['-c', 'command -v "$0" >/dev/null && { "$0" "$@" 2>&1; true; }', tool, ...args],
      {
        encoding: 'utf8',
        timeout: 5_000,
      },
    );
  } catch {
    return null;
  }
}
