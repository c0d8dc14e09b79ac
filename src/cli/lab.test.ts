import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';

import type { RunResult } from '../simulator/lab/results.ts';
import type { CommandContext } from './command.ts';
import { COMMANDS } from './command-list.ts';
import { runProgram } from './program.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'penstock-lab-'));
after(() => {
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

async function lab(...args: readonly string[]): Promise<Run> {
  let out = '';
  let error = '';
  const context: CommandContext = {
    version: '1.2.3',
    writeOut: (text) => (out += text),
    writeError: (text) => (error += text),
    onSignal: () => () => undefined,
  };
  const code = await runProgram(COMMANDS, { args: ['lab', ...args], env: {} }, context);
  return { code, out, error };
}

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
}

const CHAT = [
  '--workload',
  'interactive-chat',
  '--profile',
  'h100-8b',
  '--replicas',
  '2',
  '--load',
  '0.2',
  '--duration',
  '20s',
];

interface RunJson {
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly RunResult[];
}

test('lab list names workloads, profiles and policies, as text and as JSON', async () => {
  const { code, out, error } = await lab('list');
  assert.equal(code, 0);
  assert.equal(error, '');
  assert.match(out, /Workloads\n {2}interactive-chat\n/);
  assert.match(out, /\nProfiles\n[^]*h100[^]*\nPolicies\n[^]*soonest/);
  const json = JSON.parse((await lab('list', '--json')).out) as Record<string, unknown[]>;
  assert.deepEqual(Object.keys(json), ['workloads', 'profiles', 'policies']);
  assert.ok((json['workloads'] ?? []).length >= 12);
});

test('lab run compares policies on the same traffic in one table', async () => {
  const { code, out, error } = await lab('run', ...CHAT, '--policy', 'soonest,round-robin');
  assert.equal(code, 0);
  assert.equal(error, '');
  assert.match(out, /^workload {2}interactive-chat, load 0\.2 \(1 is /);
  assert.match(out, /\nfleet {5}2 x h100-/);
  assert.match(out, /\n\s+soonest\s+round-robin\n/);
  for (const label of ['TTFT p99', 'TPOT p50', 'ITL p99', 'e2e p90', 'goodput', 'prefix hits']) {
    assert.ok(out.includes(`\n${label} (`), label);
  }
  assert.match(out, /\* best of its row\. 2 runs in \d/);
});

test('equal command lines give equal JSON, byte for byte, whatever the threads', async () => {
  const args = ['run', ...CHAT, '--policy', 'soonest,random', '--seeds', '2', '--json', '-'];
  const [first, again, alone] = [
    await lab(...args),
    await lab(...args),
    await lab(...args, '--workers', '1'),
  ];
  assert.equal(first.code, 0);
  assert.equal(again.out, first.out);
  assert.equal(alone.out, first.out);
  const { settings, runs } = JSON.parse(first.out) as RunJson;
  assert.equal(settings['seeds'], 'seeds 1 to 2');
  assert.deepEqual(
    runs.map(({ policy, seed }) => `${policy} ${seed}`),
    ['soonest 1', 'soonest 2', 'random 1', 'random 2'],
  );
  const other = JSON.parse((await lab(...args, '--seed', '7')).out) as RunJson;
  assert.notDeepEqual(other.runs[0]?.ttftMs, runs[0]?.ttftMs);
});

test('JSON and report go to files beside the table', async () => {
  const json = path.join(folder, 'run.json');
  const report = path.join(folder, 'run.html');
  const { code, out } = await lab('run', ...CHAT, '--json', json, '--report', report);
  assert.equal(code, 0);
  assert.match(out, /TTFT p50/);
  const { runs } = JSON.parse(readFileSync(json, 'utf8')) as RunJson;
  assert.equal(runs.length, 1);
  assert.match(readFileSync(report, 'utf8'), /^<!doctype html>/i);
});

test('a run goes out under the keys of inference-perf, and comes back beside another', async () => {
  const measured = path.join(folder, 'measured.json');
  const first = await lab('run', ...CHAT, '--seed', '5', '--inference-perf', measured);
  assert.equal(first.code, 0, first.error);
  const report = path.join(folder, 'both.html');
  const fleet = ['--profile', 'h100-8b', '--replicas', '2'];
  const { code, out } = await lab('run', '--measured', measured, ...fleet, '--report', report);
  assert.equal(code, 0);
  assert.match(out, /^workload {2}interactive-chat, load 0\.2 /, 'its traffic is taken');
  assert.match(out, /\ntime +20 s.*\n/);
  assert.match(out, /\nseeds +seed 5\n/);
  assert.match(out, /\nTTFT p99 \(ms\) +(\d+) +\1\n/, 'equal runs have equal measures');
  assert.doesNotMatch(out, /not the same traffic/);
  assert.match(readFileSync(report, 'utf8'), /measured<\/|measured \(/);
  const other = await lab('run', ...CHAT, '--load', '0.4', '--measured', measured);
  assert.match(other.out, /measured: \d+ requests were measured and \d+ simulated/);
});

test('arrivals are chosen for a run, and go with what was measured', async () => {
  const measured = path.join(folder, 'closed.json');
  const closed = ['--arrivals', 'closed:users=30,think=2s', '--duration', '30s'];
  const first = await lab('run', ...CHAT, ...closed, '--inference-perf', measured);
  assert.equal(first.code, 0, first.error);
  assert.match(first.out, /\(1 is 30 users, 2 s to think, in conversations\)/);
  const { code, out } = await lab('run', '--measured', measured, ...CHAT.slice(2, 6));
  assert.equal(code, 0);
  assert.match(out, /\(1 is 30 users, 2 s to think, in conversations\)/);
  const stages = ['--from', '0.1', '--to', '0.2', '--stages', '2', '--spacing', 'linear'];
  const bursty = await lab(
    'sweep',
    ...CHAT.slice(0, 6),
    ...CHAT.slice(8),
    '--arrivals',
    'gamma:cv=3',
    ...stages,
  );
  assert.equal(bursty.code, 0, bursty.error);
  assert.match(bursty.out, /gamma with cv 3/);
});

test('a profile file stands beside the profile that it was made from', async () => {
  const args = [...W, '--load', '0.2', '--duration', '20s'];
  const ours = file('ours.json', '{"profile":"h100-8b","calibration":{"prefill":3}}');
  const run = async (profile: string): Promise<RunResult | undefined> => {
    const { code, out, error } = await lab('run', ...args, '--profile', profile, '--json', '-');
    assert.equal(code, 0, error);
    return (JSON.parse(out) as RunJson).runs[0];
  };
  const mixed = await run(`h100-8b:1,${ours}:1`);
  assert.deepEqual(
    mixed?.endpoints.map(({ profile }) => profile),
    ['h100-llama-3.1-8b', 'ours'],
  );
  const slow = await run(`${ours}:2`);
  assert.ok((slow?.ttftMs.p50 ?? 0) > 1.5 * ((await run('h100-8b:2'))?.ttftMs.p50 ?? Infinity));
});

test('what most requests failed of is said', async () => {
  const { code, out } = await lab('run', ...CHAT, '--max-model-len', '100');
  assert.equal(code, 0);
  assert.match(out, /soonest, seed 1: (\d+) of \1 requests failed; .* more than 100 tokens here/);
  assert.doesNotMatch((await lab('run', ...CHAT)).out, /requests failed/);
});

test('engine settings, a mixed fleet and events change the run', async () => {
  const args = ['--workload', 'interactive-chat', '--load', '0.2', '--duration', '20s'];
  const fleet = ['--profile', 'h100-8b:1,a100-80-llama-3.1-8b:1'];
  const run = async (...more: readonly string[]): Promise<RunResult> => {
    const { code, out, error } = await lab('run', ...args, ...fleet, '--json', '-', ...more);
    assert.equal(code, 0, error);
    return (JSON.parse(out) as RunJson).runs[0] as RunResult;
  };
  const plain = await run();
  assert.equal(new Set(plain.endpoints.map(({ profile }) => profile)).size, 2);
  assert.ok(plain.prefixHitShare > 0);
  assert.equal((await run('--no-prefix-caching')).prefixHitShare, 0);
  const narrow = await run('--max-num-seqs', '1');
  assert.ok(narrow.queue.maxWaiting > plain.queue.maxWaiting);
  const zoo = ['--workload', 'adapter-zoo', '--duration', '30s', '--policy', 'random'];
  const loadsOf = async (...more: readonly string[]): Promise<number> =>
    (JSON.parse((await lab('run', ...zoo, '--json', '-', ...more)).out) as RunJson).runs[0]!
      .adapterLoads;
  assert.ok((await loadsOf('--max-loras', '64')) < (await loadsOf('--max-loras', '2')));
  const table = await lab('run', ...zoo, '--max-loras', '8', '--max-cpu-loras', '9');
  assert.match(table.out, /, 8 adapter slots, 9 adapters in host memory\n/);
  const disturbed = await run('--event', 'slow:0@5s:4,restart:1@8s:2s');
  assert.ok(disturbed.e2eMs.mean > plain.e2eMs.mean);
});

const OWN_POLICY = 'profile:\n  scorers:\n    - { type: queue-scorer, weight: 2 }\n';
const PICKER_CONFIG = `apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins:
  - type: queue-scorer
  - type: max-score-picker
schedulingProfiles:
  - name: default
    plugins:
      - pluginRef: queue-scorer
        weight: 2
      - pluginRef: max-score-picker
`;
const PLUGIN = `export const plugins = [{
  type: 'first-of-all', kind: 'picker', summary: 'Takes the first.', options: [],
  create: (_options, { name }) => ({
    type: 'first-of-all', name,
    order: (_input, candidates, _totals, out) => { out[0] = 0; return 1; },
  }),
}];
`;

test('policies may be files: a profile, an EndpointPickerConfig, a configuration, own plugins', async () => {
  file('first.mjs', PLUGIN);
  const policies = [
    file('own.yaml', OWN_POLICY),
    file('picker.yaml', PICKER_CONFIG),
    file('penstock.yaml', 'servers: [http://a:8000]\nscheduling: { preset: random }\n'),
    file('mine.yaml', 'plugins: [./first.mjs]\nprofile: { picker: first-of-all }\n'),
  ];
  const { code, out, error } = await lab(
    'run',
    ...CHAT,
    '--json',
    '-',
    '--policy',
    policies.join(','),
  );
  assert.equal(code, 0, error);
  assert.equal(error, '');
  const { runs } = JSON.parse(out) as RunJson;
  assert.deepEqual(
    runs.map(({ policy }) => policy),
    ['own', 'picker', 'penstock', 'mine'],
  );
  const mine = runs[3]?.endpoints.map(({ requests }) => requests) ?? [];
  assert.equal(mine.filter((count) => count > 0).length, 1, 'the plugin took the first always');
});

test('lab replay runs a trace, faster when asked, and names a line that is wrong', async () => {
  const line = (timestamp: number, last: number): string =>
    JSON.stringify({ timestamp, input_length: 1500, output_length: 20, hash_ids: [1, 2, last] });
  const trace = file('trace.jsonl', `${line(0, 3)}\n${line(2000, 4)}\n${line(4000, 5)}\n`);
  const args = ['replay', trace, '--warm-up', '0s', '--policy', 'soonest,round-robin'];
  const { code, out, error } = await lab(...args, '--json', '-');
  assert.equal(code, 0, error);
  const { settings, runs } = JSON.parse(out) as RunJson;
  assert.match(settings['trace'] ?? '', /trace\.jsonl, speed 1/);
  assert.equal(runs[0]?.requests.completed, 3);
  assert.ok((runs[0]?.prefixHitShare ?? 0) > (runs[1]?.prefixHitShare ?? 1), 'the prefix is kept');
  const fast = JSON.parse((await lab(...args, '--speed', '4', '--json', '-')).out) as RunJson;
  assert.ok((fast.runs[0]?.simulatedMs ?? 0) < 2000);
  const two = JSON.parse((await lab(...args, '--limit', '2', '--json', '-')).out) as RunJson;
  assert.equal(two.runs[0]?.requests.sent, 2);

  const unsorted = file('unsorted.jsonl', `${line(5, 1)}\n${line(1, 1)}\n`);
  const bad = await lab('replay', unsorted);
  assert.equal(bad.code, 2);
  assert.match(bad.error, /^penstock lab replay: .*unsorted\.jsonl:2: /);
  assert.equal((await lab('replay', path.join(folder, 'none.jsonl'))).code, 2);
});

test('lab size finds a count, and its neighbour below misses', async () => {
  const args = ['--workload', 'interactive-chat', '--duration', '20s', '--seeds', '2'];
  const size = ['size', ...args, '--profile', 'h100-8b', '--max-replicas', '16'];
  const goal = ['--objective', 'ttft-p90=400ms', '--json', '-'];
  const { code, out, error } = await lab(...size, ...goal);
  assert.equal(code, 0, error);
  interface SizeJson {
    readonly sizes: readonly {
      readonly replicas: number;
      readonly probes: readonly {
        readonly replicas: number;
        readonly verdict: { meets: boolean };
      }[];
    }[];
  }
  const [found] = (JSON.parse(out) as SizeJson).sizes;
  const verdictAt = (count: number): boolean | undefined =>
    found?.probes.find(({ replicas }) => replicas === count)?.verdict.meets;
  const count = found?.replicas ?? 0;
  assert.ok(count > 1);
  assert.equal(verdictAt(count), true);
  assert.equal(verdictAt(count - 1), false);
  assert.equal((await lab(...size, ...goal)).out, out, 'equal command lines, equal answers');
});

test('lab size says why there is no count, and exits with 1', async () => {
  const args = ['--workload', 'interactive-chat', '--duration', '10s', '--seeds', '1'];
  const { code, out } = await lab(
    'size',
    ...args,
    '--profile',
    'h100-8b',
    '--max-replicas',
    '8',
    '--objective',
    'ttft-p50=1ms',
  );
  assert.equal(code, 1);
  assert.match(out, /requests alone on a replica already miss it \(ttft-p50 is .*\)/);
});

test('lab sweep marks the knee', async () => {
  const { code, out, error } = await lab(
    'sweep',
    '--workload',
    'shared-prefix',
    '--profile',
    'h100-8b',
    '--replicas',
    '2',
    '--duration',
    '60s',
    '--from',
    '0.05',
    '--to',
    '2',
    '--stages',
    '3',
    '--report',
    path.join(folder, 'sweep.html'),
  );
  assert.equal(code, 0, error);
  assert.match(out, /<- knee\n[^]*saturated\nkeeps up to load 0\.\d+ /);
  assert.match(readFileSync(path.join(folder, 'sweep.html'), 'utf8'), /^<!doctype html>/i);
});

test('a budget that is too small ends the run with what there is and says how far it got', async () => {
  const { code, out } = await lab('run', ...CHAT, '--duration', '20h', '--budget', '300ms');
  assert.equal(code, 1);
  assert.match(out, /soonest, seed 1: out of its time at [\d.]+ s of 72000 s of simulated time/);
});

test('Ctrl-C prints what there is and exits with 130', async () => {
  const main = path.resolve(import.meta.dirname, 'main.ts');
  const args = [main, 'lab', 'run', ...CHAT, '--duration', '200h', '--policy', 'soonest,random'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let error = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => {
    // The first line of progress tells that runs are under way.
    error += chunk.toString('utf8');
    if (error.includes('0 of 2 runs')) child.kill('SIGINT');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 130, error);
  assert.match(out, /TTFT p50/);
  assert.match(out, /random, seed 1: interrupted at [\d.]+ s of 720000 s/);
});

const GOOD_MODEL = {
  model_type: 'qwen2',
  hidden_size: 8192,
  intermediate_size: 29_568,
  num_attention_heads: 64,
  num_hidden_layers: 80,
  num_key_value_heads: 8,
  vocab_size: 152_064,
  max_position_embeddings: 32_768,
  torch_dtype: 'bfloat16',
};

test('a model that does not fit is refused with the GiB that are missing and the way out', async () => {
  const config = file('config.json', JSON.stringify(GOOD_MODEL));
  const model = ['--model-config', config, '--accelerator', 'h100'];
  const { code, error } = await lab('run', '--workload', 'mixed-sizes', ...model);
  assert.equal(code, 2);
  assert.match(error, /does not fit on 1 × h100: [\d.]+ GiB more are needed/);
  const fits = await lab(
    'run',
    '--workload',
    'mixed-sizes',
    ...model,
    '--tensor-parallel',
    '4',
    '--duration',
    '2s',
  );
  assert.equal(fits.code, 0, fits.error);
  assert.match(fits.out, /8 x .*, 32 accelerators/);
});

const W = ['--workload', 'interactive-chat'];
const SIZE = ['size', ...W, '--objective'];
const MISTAKES: readonly (readonly [readonly string[], RegExp])[] = [
  [['run'], /--workload is missing; "penstock lab list" shows/],
  [['run', '--workload', 'interactiv-chat'], /did you mean "interactive-chat"\?/],
  [['run', ...W, '--policy', 'sonest'], /"sonest" is no preset; did you mean "soonest"\?/],
  [['run', ...W, '--policy', 'random,random'], /the policy random is given twice/],
  [['run', ...W, '--policy', './none.yaml'], /\.\/none\.yaml cannot be read/],
  [['run', ...W, '--profile', 'h100-9b'], /"h100-9b" is no profile; /],
  [['run', ...W, '--profile', 'demo:0'], /expected a count of 1 or more/],
  [['run', ...W, '--profile', 'demo:1', '--replicas', '2'], /--replicas has no meaning/],
  [['run', ...W, '--replicas', '0'], /--replicas: must be at least 1/],
  [['run', ...W, '--load', '0'], /the load must be more than 0/],
  [['run', ...W, '--arrivals', 'concurrent'], /--arrivals: .*did you mean closed:users=N/],
  [['run', ...W, '--arrivals', 'gamma:cv=0'], /--arrivals: cv must be a number above 0/],
  [['run', '--workload', 'diurnal', '--arrivals', 'closed:users=9'], /diurnal has no closed loop/],
  [['size', '--workload', 'reasoning', '--arrivals', 'closed'], /no number of users of its own/],
  [['run', ...W, '--load', '100000'], /conversations at once.*about 1\d\d\n/],
  [['sweep', ...W, '--to', '100000'], /--to: .*conversations at once/],
  [['run', ...W, '--load', 'NaN'], /--load: expected a number, got "NaN"/],
  [['run', ...W, '--duration', '60'], /--duration: .*write 60s/],
  [['run', ...W, '--duration', '10s', '--warm-up', '10s'], /--warm-up 10s leaves nothing/],
  [['run', ...W, '--good', 'ttf=1s'], /--good: unknown term ttf/],
  [['run', ...W, '--event', 'drain:99@1s'], /there is no endpoint 99; they are 0 to /],
  [['run', ...W, '--event', 'start:0@1s,start:0@2s'], /endpoint 0 starts twice/],
  [['run', ...W, '--profile', 'none.json'], /none.json cannot be read/],
  [['run', ...W, '--measured', 'none.json'], /none.json cannot be read/],
  [['run', ...W, '--policy', 'all', '--inference-perf', 'x.json'], /takes one run/],
  [['run', ...W, '--seeds', '2', '--inference-perf', 'x.json'], /takes one run/],
  [['run', ...W, '--budget', 'soon'], /--budget: expected a time/],
  [['run', ...W, '--max-num-seqs', '64', '--max-num-batched-tokens', '8'], /cannot hold 64/],
  [['run', ...W, '--accelerator', 'h100'], /--accelerator needs --model-config/],
  [['run', ...W, '--model-config', 'x.json'], /--model-config needs --accelerator/],
  [['run', ...W, '--json', '/no/such/folder/x.json'], /--json .*there is no folder/],
  [['run', ...W, '--report', '-'], /--report needs a file/],
  [['replay'], /TRACE is missing/],
  [['replay', 'x.jsonl', '--speed', '0'], /cannot be read|more than 0/],
  [['size', ...W], /--objective is missing/],
  [[...SIZE, 'ttft-p98=1s'], /--objective: unknown objective ttft-p98; did you mean/],
  [[...SIZE, 'ttft-p99=1s', '--profile', 'demo:2'], /the count is what "lab size" finds/],
  [[...SIZE, 'ttft-p99=1s', '--profile', 'demo,demo'], /--profile demo: demo is given twice/],
  [[...SIZE, 'ttft-p99=1s', '--policy', 'all'], /--policy: name one policy/],
  [['sweep', ...W, '--from', '0'], /--from must be more than 0/],
  [['sweep', ...W, '--from', '2', '--to', '1'], /--to must be more than --from/],
];

for (const [args, expected] of MISTAKES) {
  test(`the mistake "lab ${args.join(' ')}" exits with 2 and one line with the way out`, async () => {
    const { code, out, error } = await lab(...args);
    assert.equal(code, 2, error);
    assert.equal(out, '');
    assert.match(error, expected);
    assert.match(error, /^penstock lab \w+: /);
  });
}
