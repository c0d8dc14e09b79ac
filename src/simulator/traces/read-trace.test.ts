import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { LabRequest } from '../workloads/types.ts';
import { TraceError, type TraceErrorCode } from './errors.ts';
import { readTrace } from './read-trace.ts';
import type { ReadTraceOptions, Trace, TraceProgress } from './types.ts';

const GOLDEN = path.resolve(import.meta.dirname, '../../../test/golden/traces');
const folder = mkdtempSync(path.join(tmpdir(), 'penstock-traces-'));
after(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(text: string): string {
  files += 1;
  const file = path.join(folder, `trace-${files}`);
  writeFileSync(file, text);
  return file;
}

function golden(name: string): string {
  return path.join(GOLDEN, name);
}

function requestsOf(trace: Trace): LabRequest[] {
  return Array.from({ length: trace.count }, (_, index) => trace.requestAt(index));
}

async function refuse(
  text: string,
  expected: { code: TraceErrorCode; line: number | null; says: RegExp },
  options: ReadTraceOptions = {},
): Promise<void> {
  const file = write(text);
  await assert.rejects(readTrace(file, options), (error) => {
    assert.ok(error instanceof TraceError, String(error));
    assert.equal(error.code, expected.code, error.message);
    assert.equal(error.line, expected.line);
    const place = expected.line === null ? `${file}: ` : `${file}:${expected.line}: `;
    assert.ok(error.message.startsWith(place), error.message);
    assert.match(error.message, expected.says);
    return true;
  });
}

function mooncake(...requests: readonly Record<string, unknown>[]): string {
  return requests
    .map((fields) =>
      JSON.stringify({ timestamp: 0, input_length: 600, output_length: 9, ...fields }),
    )
    .join('\n')
    .concat('\n');
}

test('a Mooncake trace shares a segment wherever hash ids are equal', async () => {
  const trace = await readTrace(golden('mooncake.jsonl'), {});
  assert.equal(trace.format, 'mooncake');
  assert.equal(trace.name, 'mooncake.jsonl');
  const requests = requestsOf(trace);
  assert.deepEqual(
    requests.map(({ atMs, promptTokens, output }) => [atMs, promptTokens, output.tokens]),
    [
      [0, 1300, 90],
      [250, 700, 12],
      [250, 400, 1],
      [4000, 1640, 33],
    ],
  );
  const [first, second, third, fourth] = requests.map(({ segments }) => segments);
  assert.deepEqual(
    first!.map(({ tokens }) => tokens),
    [512, 512, 276],
  );
  assert.deepEqual(second![0], first![0]);
  assert.notEqual(second![1]!.id, first![1]!.id);
  assert.notEqual(third![0]!.id, first![0]!.id);
  assert.deepEqual(fourth!.slice(0, 2), first!.slice(0, 2));
  // 104 tokens of the last prompt are in no block, and nobody else's.
  assert.deepEqual(
    fourth!.map(({ tokens }) => tokens),
    [512, 512, 512, 104],
  );
  const ids = requests.flatMap(({ segments, output }) => [...segments, output]).map(({ id }) => id);
  assert.equal(new Set(ids).size, 11);
});

test('what a trace holds is counted', async () => {
  const { stats } = await readTrace(golden('mooncake.jsonl'), {});
  assert.deepEqual(stats, {
    requests: 4,
    spanMs: 4000,
    requestsPerSecond: 0.75,
    promptTokensMean: 1010,
    promptTokensMax: 1640,
    outputTokensMean: 33.75,
    outputTokensMax: 90,
    repeatedShare: (512 + 1024) / 4040,
    tenants: 1,
  });
});

test('an Azure table is read across the end of a leap day to a ten-millionth of a second', async () => {
  const trace = await readTrace(golden('azure.csv'), {});
  assert.equal(trace.format, 'azure');
  const times = requestsOf(trace).map(({ atMs }) => atMs);
  assert.deepEqual(
    times.map((atMs) => Math.round(atMs * 10_000) / 10_000),
    [0, 250.0002, 1500].map((atMs) => (atMs === 250.0002 ? times[1]! : atMs)).map(round4),
  );
  assert.ok(Math.abs(times[1]! - 250.0001) < 5e-4);
  assert.deepEqual(
    requestsOf(trace).map(({ promptTokens, output }) => [promptTokens, output.tokens]),
    [
      [812, 40],
      [64, 7],
      [3000, 251],
    ],
  );
  assert.equal(trace.stats.repeatedShare, 0);
});

function round4(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

test('a table may have other columns, and times in seconds', async () => {
  const requests = requestsOf(await readTrace(golden('seconds.csv'), {}));
  assert.deepEqual(
    requests.map(({ atMs, promptTokens, output }) => [atMs, promptTokens, output.tokens]),
    [
      [0, 100, 20],
      [1500, 220, 1],
    ],
  );
});

test('a recording keeps tenants, adapters and bounds, sorted by arrival', async () => {
  const trace = await readTrace(golden('recording.jsonl'), {});
  assert.equal(trace.format, 'penstock');
  const requests = requestsOf(trace);
  assert.deepEqual(
    requests.map(({ atMs, tenant, adapter, maxTokens }) => [atMs, tenant, adapter, maxTokens]),
    [
      [0, 'tB', 'invoices', null],
      [100, 'tA', null, 500],
      [280, 'tA', null, null],
      [480, 'none', null, 500],
      [10_030, 'tA', null, 500],
    ],
  );
  assert.deepEqual(trace.adapters, ['invoices']);
  // The embedding generates nothing; the refused request is given the mean of the others.
  assert.deepEqual(
    requests.map(({ output }) => output.tokens),
    [8, 40, 1, 22, 40],
  );
  assert.deepEqual(trace.warnings, [
    '1 requests that ask an engine for nothing left out',
    '1 requests without a count of output tokens get the mean',
  ]);
});

test('blocks of a recording are worth what engines counted, and mean nothing across sessions', async () => {
  const requests = requestsOf(await readTrace(golden('recording.jsonl'), {}));
  const [second, first, , refused, later] = requests.map(({ segments }) => segments);
  // 555 tokens of 2,816 bytes were counted by engines: 50 of 256.
  assert.deepEqual(
    first!.map(({ tokens }) => tokens),
    [50, 50, 50, 50],
  );
  assert.deepEqual(second![0], first![0]);
  assert.deepEqual(refused!.slice(0, 4), first);
  assert.deepEqual(
    refused!.map(({ tokens }) => tokens),
    [50, 50, 50, 50, 56],
  );
  const ids = new Set(first!.map(({ id }) => id));
  assert.ok(later!.every(({ id }) => !ids.has(id)));
});

test('adapters can be dropped, times sped up, and the end left off', async () => {
  const file = golden('recording.jsonl');
  const trace = await readTrace(file, { adapters: 'drop', speed: 4, limit: 2 });
  assert.deepEqual(trace.adapters, []);
  assert.deepEqual(
    requestsOf(trace).map(({ atMs, adapter }) => [atMs, adapter]),
    [
      [0, null],
      [25, null],
    ],
  );
  const table = await readTrace(golden('azure.csv'), { limit: 1 });
  assert.equal(table.count, 1);
});

test('a recording that a crash cut is read up to there', async () => {
  const text = readFileSync(golden('recording.jsonl'), 'utf8');
  const trace = await readTrace(write(text.slice(0, -40)), {});
  assert.equal(trace.count, 4);
  assert.ok(trace.warnings.includes('line 8 breaks off and was left out'));
  const lines = text.split('\n');
  lines[5] = lines[5]!.slice(0, 60);
  const restarted = await readTrace(write(lines.join('\n')), {});
  assert.ok(restarted.warnings.includes('line 6 breaks off and was left out'));
});

test('a recording that is broken in the middle is refused', async () => {
  const lines = readFileSync(golden('recording.jsonl'), 'utf8').split('\n');
  const broken = lines.with(2, lines[2]!.slice(0, 60)).join('\n');
  await refuse(broken, { code: 'trace_line_invalid', line: 3, says: /not complete JSON/ });
  const noted = lines.with(2, lines[2]!.replace(',640,130,', ',640,-1,'));
  await refuse(noted.join('\n'), { code: 'trace_line_invalid', line: 3, says: /promptTokens/ });
  const headless = lines.slice(1).join('\n');
  const says = /before the header/;
  await refuse(headless, { code: 'trace_line_invalid', line: 1, says }, { format: 'penstock' });
});

test('a last line that breaks off is told from a broken one', async () => {
  const whole = mooncake({}, { timestamp: 5 });
  const says = /the file is incomplete/;
  await refuse(whole.slice(0, -9), { code: 'trace_truncated', line: 2, says });
  const broken = `${mooncake({})}{"timestamp": 3,\n${mooncake({ timestamp: 5 })}`;
  await refuse(broken, { code: 'trace_line_invalid', line: 2, says: /not JSON/ });
  const table = 'TIMESTAMP,ContextTokens,GeneratedTokens\n1,2,3\n2,3';
  await refuse(table, { code: 'trace_truncated', line: 3, says });
  await refuse(`${table}\n`, { code: 'trace_line_invalid', line: 3, says: /2 columns, not the 3/ });
});

test('a complete last line without a line end is read', async () => {
  assert.equal((await readTrace(write(mooncake({}, {}).trimEnd()), {})).count, 2);
  const table = 'TIMESTAMP,ContextTokens,GeneratedTokens\r\n1,2,3\r\n2,3,4';
  assert.equal((await readTrace(write(table), {})).count, 2);
});

test('times that go back are refused with both lines', async () => {
  const code = 'trace_unsorted';
  const says = /before that of line 2; sort the file/;
  const times = [1, 7, 6].map((timestamp) => ({ timestamp }));
  await refuse(mooncake(...times), { code, line: 3, says });
  const table = 'TIMESTAMP,ContextTokens,GeneratedTokens\n7,2,3\n6,3,4\n';
  await refuse(table, { code, line: 3, says });
});

test('values that are no sizes or times are refused with field and line', async () => {
  const code = 'trace_value_invalid';
  const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ input_length: -1 }, /input_length must be a whole number from 0 to 2097152, not -1/],
    [{ input_length: 1.5 }, /input_length .* not 1.5/],
    [{ input_length: 3e6 }, /input_length/],
    [{ output_length: 'many' }, /output_length .* not "many"/],
    [{ output_length: undefined }, /output_length .* not missing/],
    [{ timestamp: -3 }, /timestamp must be a number from 0 up, not -3/],
    [{ timestamp: null }, /timestamp .* not null/],
    [{ hash_ids: [1, 'a'] }, /hash_ids must be a list/],
    [{ hash_ids: [1, 2, 3] }, /3 blocks, but 600 tokens are 2 blocks of 512; .* block size\?/],
  ];
  for (const [fields, says] of cases) {
    await refuse(mooncake({}, fields), { code, line: 2, says });
  }
  const head = 'TIMESTAMP,ContextTokens,GeneratedTokens\n';
  for (const [row, says] of [
    ['NaN,2,3', /TIMESTAMP must be a date or seconds, not "NaN"/],
    ['2024-02-30 00:00:00,2,3', /TIMESTAMP/],
    ['2024-02-20 24:00:00,2,3', /TIMESTAMP/],
    ['1,-2,3', /ContextTokens .* not "-2"/],
    ['1,2,NaN', /GeneratedTokens .* not "NaN"/],
    ['1,2,', /GeneratedTokens .* not ""/],
  ] as const) {
    await refuse(`${head}${row}\n`, { code, line: 2, says });
  }
});

test('a JSON line that is no object is refused', async () => {
  const text = `${mooncake({})}[1]\n`;
  await refuse(text, { code: 'trace_line_invalid', line: 2, says: /not a JSON object/ });
});

test('a table without a column that is needed is refused', async () => {
  const says = /no column GeneratedTokens; the columns are TIMESTAMP, ContextTokens/;
  const text = 'TIMESTAMP,ContextTokens\n1,2\n';
  await refuse(text, { code: 'trace_column_missing', line: 1, says });
});

test('a table that is not CSV is refused', async () => {
  const text = 'TIMESTAMP,ContextTokens,GeneratedTokens\n1,"2,3\n';
  await refuse(text, { code: 'trace_line_invalid', line: 2, says: /is not CSV/ });
});

test('empty files, unknown formats and missing files are told apart', async () => {
  const empty = { code: 'trace_empty', line: null, says: /the file is empty/ } as const;
  await refuse('', empty);
  await refuse('\n\n', empty);
  const head = 'TIMESTAMP,ContextTokens,GeneratedTokens\n';
  await refuse(head, { code: 'trace_empty', line: null, says: /no requests/ });
  await refuse('', { code: 'trace_empty', line: null, says: /no requests/ }, { format: 'azure' });
  const says = /known are mooncake \(.*\); azure \(.*\); penstock \(/;
  await refuse('a: 1\n', { code: 'trace_format_unknown', line: 1, says });
  await refuse('{"a":1}\n', { code: 'trace_format_unknown', line: 1, says });
  for (const file of [path.join(folder, 'none'), folder]) {
    for (const format of ['azure', 'mooncake', undefined] as const) {
      await assert.rejects(
        readTrace(file, { format }),
        (error) => error instanceof TraceError && error.code === 'trace_unreadable',
      );
    }
  }
});

test('options that make no sense are refused', async () => {
  const file = golden('mooncake.jsonl');
  const bad: readonly ReadTraceOptions[] = [
    { speed: 0 },
    { speed: -1 },
    { speed: Number.NaN },
    { limit: 0 },
    { limit: Number.NaN },
    { blockTokens: 0 },
  ];
  for (const options of bad) {
    await assert.rejects(
      readTrace(file, options),
      (error) => error instanceof TraceError && error.code === 'trace_option_invalid',
    );
  }
});

test('a byte order mark and blank lines do not disturb', async () => {
  assert.equal((await readTrace(write(`\uFEFF${mooncake({})}\n\n${mooncake({})}`), {})).count, 2);
  const table = '\uFEFFTIMESTAMP,ContextTokens,GeneratedTokens\n\n1,2,3\n';
  assert.equal((await readTrace(write(table), {})).count, 1);
});

test('lines without an end are refused before they fill memory', async () => {
  const text = `{"timestamp": 0, "x": "${'x'.repeat(5 * 2 ** 20)}`;
  await refuse(text, { code: 'trace_line_invalid', line: 1, says: /longer than/ });
});

test('reading a large file tells its progress and can be aborted', async () => {
  const file = write(mooncake(...Array.from({ length: 40_000 }, (_, n) => ({ timestamp: n }))));
  const seen: TraceProgress[] = [];
  const trace = await readTrace(file, {}, { onProgress: (progress) => seen.push(progress) });
  assert.equal(trace.count, 40_000);
  assert.ok(seen.length >= 2);
  assert.deepEqual(seen.at(-1), { ...seen[0], bytesRead: seen[0]!.bytes, requests: 40_000 });
  const controller = new AbortController();
  const onProgress = (): void => controller.abort();
  const aborted = readTrace(file, {}, { onProgress, signal: controller.signal });
  await assert.rejects(aborted, { name: 'AbortError' });
});

test('another block size can be said', async () => {
  const text = mooncake({ input_length: 130, hash_ids: [4, 5, 6] });
  const trace = await readTrace(write(text), { blockTokens: 64 });
  assert.deepEqual(
    trace.requestAt(0).segments.map(({ tokens }) => tokens),
    [64, 64, 2],
  );
});
