import { spawn } from 'node:child_process';
import path from 'node:path';

/** Root of the repository. */
export const ROOT: string = path.resolve(import.meta.dirname, '..', '..');

/** How a program ended. */
export interface CommandResult {
  readonly code: number;
  /** What it wrote to standard output, if it was captured. */
  readonly output: string;
}

/** Options of {@link runCommand}. */
export interface CommandOptions {
  /** Working directory; by default the root of the repository. */
  readonly cwd?: string;
  /** `show` passes the output on to ours, `capture` returns standard output. */
  readonly output?: 'show' | 'capture';
}

/** Runs a program to its end. One that cannot be started, or is ended by a signal, has code 1. */
export async function runCommand(
  binary: string,
  args: readonly string[],
  { cwd = ROOT, output = 'show' }: CommandOptions = {},
): Promise<CommandResult> {
  const isCaptured = output === 'capture';
  const child = spawn(binary, args, {
    cwd,
    stdio: ['ignore', isCaptured ? 'pipe' : 'inherit', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve) => {
    child.once('error', (error) => {
      console.error(`cannot run ${binary}: ${error.message}`);
      resolve(1);
    });
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  return { code, output: Buffer.concat(chunks).toString('utf8') };
}

/** Path of a tool that a devDependency brought. */
export function tool(name: string): string {
  return path.join(ROOT, 'node_modules', '.bin', name);
}
