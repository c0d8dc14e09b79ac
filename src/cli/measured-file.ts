import { basename } from 'node:path';
import { fail, succeed, type Result } from '../core/result.ts';
import type { MeasuredReport } from '../simulator/load/measured-report.ts';
import { parseMeasuredReport } from '../simulator/load/parse-measured-report.ts';
import type { NamedMeasurement } from '../simulator/report/report-input.ts';
import { readJson } from './profile-file.ts';

/** A report of `penstock bench --json` or of inference-perf; the failure is a sentence. */
export async function readMeasuredReport(path: string): Promise<Result<MeasuredReport, string>> {
  const json = await readJson(path);
  if (!json.ok) return json;
  const report = parseMeasuredReport(json.value);
  return report.ok ? report : fail(`${path}: ${report.error}`);
}

/** The same of several files, each under its file's name. */
export async function readMeasurements(
  paths: readonly string[],
): Promise<Result<readonly NamedMeasurement[], string>> {
  const measured: NamedMeasurement[] = [];
  for (const path of paths) {
    const report = await readMeasuredReport(path);
    if (!report.ok) return report;
    measured.push({ name: basename(path, '.json'), report: report.value });
  }
  return succeed(measured);
}
