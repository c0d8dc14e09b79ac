import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { parsePrometheus } from '../prometheus/parser.ts';
import { BUILTIN_DIALECTS, recognise } from './builtins.ts';
import type { EngineDialect } from './dialect.ts';
import { readReport, wantedMetrics } from './report.ts';

const GOLDENS = new URL('../../../test/golden/engines/', import.meta.url);
const SUFFIX = '.metrics.txt';

const names = readdirSync(GOLDENS)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));

function read(file: string): string {
  return readFileSync(new URL(file, GOLDENS), 'utf8');
}

/** `sglang-0.5.9` is a text of the dialect `sglang`: the longest engine name that begins it. */
function dialectFor(name: string): EngineDialect {
  const fitting = BUILTIN_DIALECTS.filter((dialect) => name.startsWith(dialect.engine));
  fitting.sort((a, b) => b.engine.length - a.engine.length);
  return fitting[0]!;
}

test('every engine with metrics has a golden text', () => {
  const covered = new Set(names.map((name) => dialectFor(name).engine));
  for (const dialect of BUILTIN_DIALECTS) {
    assert.equal(covered.has(dialect.engine), dialect.metrics !== null, dialect.engine);
  }
});

for (const name of names) {
  const dialect = dialectFor(name);
  const text = read(`${name}${SUFFIX}`);

  test(`${name}: the report is the golden one, whether all or only wanted names are parsed`, () => {
    const expected: unknown = JSON.parse(read(`${name}.report.json`));
    const all = parsePrometheus(text);
    const wanted = parsePrometheus(text, { wanted: wantedMetrics(dialect) });
    assert.equal(all.brokenLines, 0);
    assert.ok(wanted.count < all.count || all.count < 20, 'the choice of names saves work');
    assert.deepEqual(readReport(dialect, all), expected);
    assert.deepEqual(readReport(dialect, wanted), expected);
  });

  test(`${name}: its metrics alone are enough to recognise it`, () => {
    const answer = { status: 200, server: 'uvicorn', text, json: undefined };
    const found = recognise(new Map([['/metrics', answer]]));
    assert.equal(found.dialect.engine, dialect.engine);
    assert.ok(found.confidence >= 0.9);
  });

  test(`${name}: no other engine reads anything from it but the process start`, () => {
    const samples = parsePrometheus(text);
    for (const other of BUILTIN_DIALECTS) {
      if (other === dialect) continue;
      const { processStartTimeSeconds, ...report } = readReport(other, samples);
      assert.ok(processStartTimeSeconds === null || processStartTimeSeconds > 0);
      assert.deepEqual(new Set(Object.values(report)), new Set([null]), other.engine);
    }
  });
}
