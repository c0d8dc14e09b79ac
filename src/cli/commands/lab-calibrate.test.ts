import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { must } from '../../core/assert.ts';
import { findPreset } from '../../scheduler/presets.ts';
import { DIRECT_DELAYS, simulateScene } from '../../simulator/calibration/scene.ts';
import { findProfile } from '../../simulator/hardware/profiles.ts';
import type { MeasuredReport } from '../../simulator/load/measured-report.ts';
import { toMeasuredReport } from '../../simulator/load/simulated-report.ts';
import { findWorkload } from '../../simulator/workloads/workloads.ts';
import { COMMANDS } from '../command-list.ts';
import { EXIT_CODES } from '../command.ts';
import { readProfile } from '../profile-file.ts';
import { runProgram } from '../program.ts';

/** Runs `penstock lab calibrate` with arguments that are separated by single spaces. */
async function run(line: string): Promise<{ code: number; out: string; error: string }> {
  const texts = { out: '', error: '' };
  const code = await runProgram(
    COMMANDS,
    { args: ['lab', 'calibrate', ...line.split(' ').filter((word) => word !== '')], env: {} },
    {
      version: '0.0.0',
      writeOut: (text) => {
        texts.out += text;
      },
      writeError: (text) => {
        texts.error += text;
      },
      onSignal: () => () => undefined,
    },
  );
  return { code, ...texts };
}

async function createFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-calibrate-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** A run of the demo engine with prefills twice as slow as its profile says. */
async function measure(): Promise<MeasuredReport> {
  const times = { durationMs: 5000, warmUpMs: 1000 };
  const workload = must(findWorkload('mixed-sizes'), 'mixed-sizes');
  const profile = must(findPreset('soonest'), 'soonest');
  const result = await simulateScene(
    { workload, load: 0.1, seed: 3, ...times },
    {
      profile: must(findProfile('demo'), 'demo'),
      replicas: 1,
      overrides: {},
      policy: { name: 'soonest', profile, plugins: [] },
      delays: DIRECT_DELAYS,
    },
    {
      calibration: { prefill: 2, decode: 1, overhead: 1 },
      hooks: { shouldStop: () => null, onProgress: () => undefined },
    },
  );
  return toMeasuredReport(result, {
    ...times,
    workload: 'mixed-sizes',
    trace: null,
    arrivals: null,
    load: 0.1,
    model: 'demo-model',
  });
}

test('calibrate prints factors with the errors before and after, and writes a profile', async (t) => {
  const folder = await createFolder(t);
  const measured = join(folder, 'run.json');
  const out = join(folder, 'ours.json');
  await writeFile(measured, JSON.stringify(await measure()));
  const ran = await run(`--profile demo --measured ${measured} --runs 60 --out ${out}`);
  assert.equal(ran.code, EXIT_CODES.ok, ran.error);
  assert.match(ran.out, /^prefill +[12]\.\d{4} /m);
  assert.match(ran.out, /^ttft p50, ms +\d/m);
  assert.match(ran.out, /mean error .* before, .* after; the largest left is/);
  assert.match(ran.error, /warning: only \d+ answers were measured/);
  const written = JSON.parse(await readFile(out, 'utf8')) as {
    readonly profile: string;
    readonly calibration: { readonly prefill: number };
    readonly fit: { readonly meanErrorBefore: number; readonly meanErrorAfter: number };
  };
  assert.equal(written.profile, 'demo');
  assert.ok(Math.abs(written.calibration.prefill - 2) < 0.1);
  assert.ok(written.fit.meanErrorAfter < written.fit.meanErrorBefore);
  const profile = await readProfile(out);
  assert.ok(profile.ok);
  assert.deepEqual(profile.value.profile.calibration, written.calibration);
  assert.equal(profile.value.profile.name, 'ours');
});

test('single requests stand in for a report that does not say what was run', async (t) => {
  const folder = await createFolder(t);
  const { penstock: _penstock, ...foreign } = await measure();
  const measured = join(folder, 'summary.json');
  const single = join(folder, 'per_request.json');
  await writeFile(measured, JSON.stringify(foreign));
  const requests = Array.from({ length: 8 }, (_, index) => ({
    start_time: 1000 + index / 4,
    end_time: 1002 + index / 4,
    info: {
      request_metrics: { text: { input_tokens: 500 } },
      response_metrics: { output_tokens: 40 },
    },
    error: index === 3 ? { error_type: 'x', error_msg: 'y' } : null,
  }));
  await writeFile(single, JSON.stringify(requests));
  const without = await run(`--profile demo --measured ${measured}`);
  assert.equal(without.code, EXIT_CODES.usage);
  assert.match(without.error, /does not say what was run/);
  const args = `--profile demo --measured ${measured} --per-request ${single} --runs 20`;
  const ran = await run(args);
  assert.equal(ran.code, EXIT_CODES.ok, ran.error);
  assert.match(ran.error, /and 7 simulated: this is not the same traffic/);
});

test('what cannot be fitted is named', async (t) => {
  const folder = await createFolder(t);
  const report = await measure();
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  const good = await write('good.json', JSON.stringify(report));
  const nan = await write(
    'nan.json',
    JSON.stringify(report).replace(/"mean":[\d.]+/, '"mean":NaN'),
  );
  const text = { ...report, benchmark_time_seconds: 'long' };
  const wrong = await write('wrong.json', JSON.stringify(text));
  const idle = { ...report.successes.throughput, output_tokens_per_sec: 0 };
  const none = await write(
    'none.json',
    JSON.stringify({ ...report, successes: { ...report.successes, throughput: idle } }),
  );
  const factor = await write('factor.json', '{"profile":"demo","calibration":{"prefill":0}}');
  const tries: readonly (readonly [string, RegExp])[] = [
    ['', /--measured is missing/],
    ['--profile demo --measured /nowhere.json', /nowhere.json cannot be read/],
    [`--measured ${good}`, /--profile is missing/],
    [`--profile dem --measured ${good}`, /did you mean "demo"/],
    [`--profile ${factor} --measured ${good}`, /prefill must be above 0/],
    [`--profile demo --policy all --measured ${good}`, /one policy/],
    [`--profile demo --measured ${nan}`, /is no JSON.*NaN/],
    [`--profile demo --measured ${wrong}`, /benchmark_time_seconds: expected a number/],
    [`--profile demo --measured ${none}`, /output tokens\/s is 0, which cannot be/],
  ];
  for (const [line, message] of tries) {
    const { code, out, error } = await run(line);
    assert.equal(code, EXIT_CODES.usage, line);
    assert.match(error, message);
    assert.equal(out, '');
  }
});
