import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { fail, succeed, type Result } from '../core/result.ts';
import type { MeasuredReport } from '../simulator/load/measured-report.ts';
import type { ReportInput } from '../simulator/report/report-input.ts';
import type { CommandContext } from './command.ts';
import { reasonOf } from './config/tls-files.ts';
import type { ParsedOptions } from './options.ts';

/** Where results go beside or in place of the table. */
export interface LabOutput {
  /** `-`: standard output; null: nowhere. */
  readonly json: string | null;
  readonly report: string | null;
  /** For one run under the keys of inference-perf. */
  readonly inferencePerf: string | null;
}

/** What a command has found, in every form. */
export interface LabOutcome {
  /** Equal for equal runs: nothing of wall-clock time. */
  readonly json: unknown;
  /** The table and what belongs to it, without line ends. */
  readonly lines: readonly string[];
  readonly report: ReportInput;
  /** The one run under the keys of inference-perf; null where that is not offered. */
  readonly inferencePerf: MeasuredReport | null;
}

/** Reads where to write, and sees before a long run whether that is possible. */
export async function readOutput(options: ParsedOptions): Promise<Result<LabOutput, string>> {
  const json = options.string('json');
  const report = options.string('report');
  const inferencePerf = options.has('inference-perf') ? options.string('inference-perf') : null;
  for (const [flag, path] of [
    ['--json', json],
    ['--report', report],
    ['--inference-perf', inferencePerf],
  ] as const) {
    if (path === null || path === '-') continue;
    const folder = dirname(resolve(path));
    const found = await stat(folder).catch(() => null);
    if (found?.isDirectory() !== true) return fail(`${flag} ${path}: there is no folder ${folder}`);
    const existing = await stat(path).catch(() => null);
    if (existing?.isDirectory() === true) return fail(`${flag} ${path}: this is a folder`);
  }
  if (report === '-') return fail('--report needs a file');
  if (inferencePerf === '-') return fail('--inference-perf needs a file');
  return succeed({ json, report, inferencePerf });
}

/** Writes everything; the failure is a sentence for the user. */
export async function writeOutcome(
  { json, report, inferencePerf }: LabOutput,
  context: CommandContext,
  outcome: LabOutcome,
): Promise<Result<null, string>> {
  const text = json === null ? '' : textOf(outcome.json);
  if (json === '-') context.writeOut(text);
  else context.writeOut(outcome.lines.map((line) => `${line}\n`).join(''));
  try {
    if (json !== null && json !== '-') await writeFile(json, text);
    if (inferencePerf !== null) await writeFile(inferencePerf, textOf(outcome.inferencePerf));
    if (report !== null) {
      const { renderReport } = await import('../simulator/report/report.ts');
      await writeFile(report, renderReport(outcome.report));
    }
  } catch (cause) {
    return fail(`the results could not be written: ${reasonOf(cause)}`);
  }
  return succeed(null);
}

function textOf(json: unknown): string {
  return `${JSON.stringify(json, null, 2)}\n`;
}
