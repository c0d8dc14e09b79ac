import assert from 'node:assert/strict';
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeRecordingHeader } from '../../protocol/recording/decode.ts';
import { pathOfNumber, RecordingFile, type RecordingFileOptions } from './recording-file.ts';

const HEADER = { session: 'one', startedAtMs: 1_790_000_000_000, blockBytes: 256 };

async function createPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-recording-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'trace.jsonl');
}

async function openFile(
  t: TestContext,
  path: string,
  more: Partial<RecordingFileOptions> = {},
): Promise<RecordingFile> {
  const file = await RecordingFile.open({ path, maxBytes: 1e6, files: 3, header: HEADER, ...more });
  assert.ok(file.ok, file.ok ? '' : file.error);
  t.after(() => file.value.close().catch(() => {}));
  return file.value;
}

async function refusalOf(path: string): Promise<string> {
  const file = await RecordingFile.open({ path, maxBytes: 1e6, files: 3, header: HEADER });
  assert.ok(!file.ok);
  return file.error;
}

/** Session and part of every header, and the other lines as they are. */
function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line) => {
      const header = decodeRecordingHeader(line);
      return header.ok ? `# ${header.value.session} ${header.value.part}` : line;
    });
}

test('a new file is for its owner only and begins with a header', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path);
  await file.append(Buffer.from('a\nb\n'));
  await file.append(Buffer.from('c\n'));
  await file.close();
  assert.deepEqual(linesOf(path), ['# one 1', 'a', 'b', 'c', '']);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that exists is appended to, its cut last line ended first', async (t) => {
  const path = await createPath(t);
  const first = await openFile(t, path);
  await first.append(Buffer.from('a\nhalf of a li'));
  await first.close();
  const second = await openFile(t, path, { header: { ...HEADER, session: 'two' } });
  await second.append(Buffer.from('b\n'));
  assert.deepEqual(linesOf(path), ['# one 1', 'a', 'half of a li', '# two 1', 'b', '']);
});

test('a header that was cut is a recording; anything else is left alone', async (t) => {
  const path = await createPath(t);
  writeFileSync(path, '{"penstockRecording":1,"ses');
  await openFile(t, path);
  assert.deepEqual(linesOf(path), ['{"penstockRecording":1,"ses', '# one 1', '']);
  for (const text of [
    'hello\n',
    '{"a":1}\n',
    'x'.repeat(10_000),
    '\n',
    '{"penstockRecording":2}\n',
  ]) {
    writeFileSync(path, text);
    assert.match(await refusalOf(path), /is not a recording; choose another path, or move it away/);
    assert.equal(readFileSync(path, 'utf8'), text);
  }
});

test('a path that cannot be written is refused with the way out', async (t) => {
  const path = await createPath(t);
  assert.match(await refusalOf(join(path, '..', 'no', 'trace.jsonl')), /create it first/);
  await mkdir(path);
  assert.match(await refusalOf(path), /it is a folder; add the name of a file/);
  assert.match(await refusalOf('/dev/null'), /not a regular file/);
  const file = join(path, 'file');
  writeFileSync(file, '');
  assert.match(await refusalOf(join(file, 'trace.jsonl')), /its folder is a file/);
});

test('a full file is moved aside, with the others, and the last is dropped', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path, { maxBytes: 300, files: 3 });
  for (let i = 0; i < 7; i += 1) await file.append(Buffer.from(`${String(i).repeat(120)}\n`));
  const numbers = [0, 1, 2].map((number) => linesOf(pathOfNumber(path, number)));
  const line = (digit: number): string => String(digit).repeat(120);
  assert.deepEqual(numbers, [
    ['# one 7', line(6), ''],
    ['# one 6', line(5), ''],
    ['# one 5', line(4), ''],
  ]);
  assert.equal(readdirSync(join(path, '..')).length, 3);
});

test('lines larger than the limit go into a file of their own', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path, { maxBytes: 300 });
  await file.append(Buffer.from(`${'a'.repeat(1000)}\n`));
  await file.append(Buffer.from('b\n'));
  assert.deepEqual(linesOf(path), ['# one 2', 'b', '']);
  assert.equal(existsSync(pathOfNumber(path, 2)), false);
});

test('one file is kept by beginning it anew', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path, { maxBytes: 300, files: 1 });
  for (let i = 0; i < 5; i += 1) await file.append(Buffer.from(`${String(i).repeat(150)}\n`));
  assert.deepEqual(linesOf(path), ['# one 5', '4'.repeat(150), '']);
  assert.equal(readdirSync(join(path, '..')).length, 1);
});

test('a file that is full at the start is moved aside', async (t) => {
  const path = await createPath(t);
  const first = await openFile(t, path);
  await first.append(Buffer.from(`${'a'.repeat(1000)}\n`));
  await first.close();
  await openFile(t, path, { maxBytes: 500, header: { ...HEADER, session: 'two' } });
  assert.deepEqual(linesOf(path), ['# two 1', '']);
  assert.deepEqual(linesOf(pathOfNumber(path, 1)), ['# one 1', 'a'.repeat(1000), '']);
});

test('a file that somebody has moved away, deleted or emptied is begun again', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path);
  await file.append(Buffer.from('a\n'));
  assert.equal(await file.verify(), true);
  renameSync(path, `${path}.old`);
  assert.equal(await file.verify(), true);
  await file.append(Buffer.from('b\n'));
  assert.deepEqual(linesOf(`${path}.old`), ['# one 1', 'a', '']);
  assert.deepEqual(linesOf(path), ['# one 2', 'b', '']);
  await rm(path);
  assert.equal(await file.verify(), true);
  await truncate(path, 0);
  assert.equal(await file.verify(), true);
  await file.append(Buffer.from('c\n'));
  assert.deepEqual(linesOf(path), ['# one 4', 'c', '']);
});

test('somebody else who writes to the file is noticed', async (t) => {
  const path = await createPath(t);
  const file = await openFile(t, path);
  await appendFile(path, 'theirs\n');
  assert.equal(await file.verify(), false);
});

test('numbers come before the ending', () => {
  assert.equal(pathOfNumber('/a.b/trace.jsonl', 2), '/a.b/trace.2.jsonl');
  assert.equal(pathOfNumber('/a.b/trace', 2), '/a.b/trace.2');
  assert.equal(pathOfNumber('trace.jsonl', 0), 'trace.jsonl');
});
