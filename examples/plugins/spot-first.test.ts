import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/cli/config/load.ts';
import { createTestInput, createTestLoad } from '../../src/scheduler/testing/pick-world.ts';
import { createTestProfile } from '../../src/scheduler/testing/test-parts.ts';
import type { PickInput } from '../../src/plugins.ts';
import { plugins } from './spot-first.ts';

const SPOT = { capacity: 'spot' };

function rank(options: Readonly<Record<string, unknown>>, input: PickInput): readonly number[] {
  const profile = createTestProfile(
    {
      name: 'example',
      plugins: [{ type: 'spot-first', name: 'spot', options, weight: 1 }],
      rankedCount: 3,
    },
    { plugins },
  );
  return profile.rank(input).ranked.map(({ slot }) => slot);
}

test('cheap endpoints come first, the emptier one of two that fill up', () => {
  const load = createTestLoad(3);
  load.kvCacheUsage.set([Number.NaN, 0.9, 0.85]);
  const input = createTestInput(load, { labels: [SPOT, SPOT, SPOT] });
  assert.deepEqual(rank({}, input), [0, 2, 1]);
});

test('a cheap endpoint that is nearly full comes after the dear ones', () => {
  const load = createTestLoad(2);
  load.kvCacheUsage.set([0.95, 0.1]);
  const input = createTestInput(load, { labels: [SPOT, {}] });
  assert.deepEqual(rank({}, input), [1, 0]);
  assert.deepEqual(rank({ full: 0.95 }, input), [0, 1]);
});

test('it loads from a configuration, and its options are checked', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'penstock-example-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'penstock.yaml');
  const load = async (options: string): ReturnType<typeof loadConfig> => {
    const module = path.join(import.meta.dirname, 'spot-first.ts');
    const scorer = `{ type: spot-first, options: ${options} }`;
    const yaml = `scheduling:\n  plugins: [${module}]\n  profile: { scorers: [${scorer}] }\n`;
    await writeFile(file, yaml);
    return loadConfig(file);
  };
  const good = await load('{ full: 0.5 }');
  assert.ok(good.ok);
  assert.equal(good.value.scheduling.profile.plugins[0]?.type, 'spot-first');
  const bad = await load('{ ful: 0.5 }');
  assert.ok(!bad.ok);
  assert.match(bad.error[0]?.message ?? '', /did you mean "full"/);
});
