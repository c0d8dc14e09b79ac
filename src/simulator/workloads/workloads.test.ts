import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findProfile } from '../hardware/profiles.ts';
import { WorkloadError } from './errors.ts';
import * as sheets from './parameters.ts';
import { countTokens } from './segments.ts';
import { playTraffic } from './testing/play-traffic.ts';
import type { LabRequest, Workload } from './types.ts';
import { describeUnknownWorkload, findWorkload, WORKLOADS } from './workloads.ts';

function play(workload: Workload, fields: { seed?: number; load?: number } = {}) {
  const { durationMs } = workload.defaults;
  return playTraffic(workload.createTraffic({ seed: 1, load: 1, durationMs, ...fields }));
}

function find(name: string): Workload {
  const workload = findWorkload(name);
  assert.ok(workload, name);
  return workload;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (const workload of WORKLOADS) {
  test(`${workload.name}: one seed gives the same requests, another seed others`, () => {
    const first = JSON.stringify(play(workload, { seed: 5 }).requests);
    assert.equal(JSON.stringify(play(workload, { seed: 5 }).requests), first);
    assert.notEqual(JSON.stringify(play(workload, { seed: 6 }).requests), first);
  });

  test(`${workload.name}: requests are well formed, in order, and fit their profile`, () => {
    const { requests } = play(workload);
    const { durationMs, profile: name } = workload.defaults;
    const profile = findProfile(name);
    assert.ok(profile, name);
    const capacity = Math.min(
      profile.maxModelLenTokens,
      profile.kvBlocks * profile.blockSizeTokens,
    );
    let lastMs = 0;
    for (const request of requests) {
      assert.ok(request.atMs >= lastMs && request.atMs <= durationMs);
      lastMs = request.atMs;
      checkTokens(request);
      const longest =
        request.promptTokens + Math.max(request.output.tokens, longestAnswer(request));
      assert.ok(longest <= capacity, `${longest} > ${capacity}`);
      assert.ok(request.adapter === null || workload.adapters.includes(request.adapter));
    }
    assert.ok(requests.length > 300, `${requests.length} requests`);
  });

  test(`${workload.name}: twice the load is about twice the requests`, () => {
    const share = play(workload, { load: 2 }).requests.length / play(workload).requests.length;
    assert.ok(share > 1.8 && share < 2.2, `${share}`);
  });

  test(`${workload.name}: impossible options are refused with a code`, () => {
    const options = { seed: 1, load: 1, durationMs: 1000 };
    const cases = [
      [{ load: 0 }, 'load_invalid'],
      [{ load: -1 }, 'load_invalid'],
      [{ load: Number.NaN }, 'load_invalid'],
      [{ load: Number.POSITIVE_INFINITY }, 'load_invalid'],
      [{ durationMs: 0 }, 'duration_invalid'],
      [{ durationMs: Number.NaN }, 'duration_invalid'],
      [{ seed: Number.NaN }, 'seed_invalid'],
      [{ seed: 1.5 }, 'seed_invalid'],
    ] as const;
    for (const [fields, code] of cases) {
      assert.throws(
        () => workload.createTraffic({ ...options, ...fields }),
        (error) => error instanceof WorkloadError && error.code === code,
      );
    }
  });
}

function longestAnswer({ maxTokens }: LabRequest): number {
  return maxTokens ?? 0;
}

function checkTokens({ segments, promptTokens, output, maxTokens }: LabRequest): void {
  assert.equal(countTokens(segments), promptTokens);
  assert.ok(promptTokens >= 1 && output.tokens >= 1);
  assert.ok(maxTokens === null || output.tokens <= maxTokens);
  for (const segment of [...segments, output]) {
    assert.ok(Number.isInteger(segment.tokens) && segment.tokens >= 1);
    assert.ok(segment.tokens <= 2 ** 21 && segment.id < 2 ** 32);
  }
}

/** The catalogue's table: mean and maximum of prompts and answers, scaled as the sheets say. */
const CATALOGUE = [
  { name: 'interactive-chat', prompt: [4000, 15_000], output: [300, 1000] },
  { name: 'code-generation', prompt: [160_000 / 8, 990_000 / 8], output: [425, 10_000] },
  { name: 'deep-research', prompt: [45_000, 150_000], output: [300, 4000] },
  { name: 'reasoning', prompt: [1000, 5000], output: [8000, 32_000] },
  { name: 'batch-summarization-rag', prompt: [15_000, 80_000], output: [500, 2000] },
  { name: 'batch-synthetic-data', prompt: [500, 15_000], output: [4000, 8000] },
  { name: 'agentic', prompt: [49_141, 3_400_000], output: [659, 146_000] },
] as const;

for (const { name, prompt, output } of CATALOGUE) {
  test(`${name}: prompts and answers have the catalogue's means and keep to its maxima`, () => {
    const workload = find(name);
    // Many short runs: conversations under way at the start are drawn anew in each.
    const requests = Array.from({ length: 20 }, (_, seed) => play(workload, { seed }).requests);
    const all = requests.flat();
    const prompts = all.map(({ promptTokens }) => promptTokens);
    const outputs = all.map((request) => request.output.tokens);
    for (const [values, [mean, max]] of [
      [prompts, prompt],
      [outputs, output],
    ] as const) {
      assert.ok(Math.abs(meanOf(values) / mean - 1) < 0.03, `${meanOf(values)}, not ${mean}`);
      assert.ok(values.every((value) => value <= max));
    }
  });
}

test('conversations have as many turns as the catalogue says', () => {
  const expected = { 'interactive-chat': 4, 'deep-research': 15, agentic: 21.9 };
  for (const [name, mean] of Object.entries(expected)) {
    const sheet = Object.values(sheets).find((candidate) => candidate.name === name);
    assert.ok(sheet && 'turns' in sheet.parameters);
    assert.equal(sheet.parameters.turns.value.mean, mean);
  }
});

for (const name of ['interactive-chat', 'code-generation', 'deep-research', 'agentic']) {
  test(`${name}: a turn's prompt is the one before, its answer, and a new message`, () => {
    const last = new Map<number, LabRequest>();
    let followed = 0;
    for (const request of play(find(name)).requests) {
      const before = last.get(request.session);
      last.set(request.session, request);
      assert.deepEqual(request.headers, { 'x-session-id': `conversation-${request.session}` });
      if (before === undefined) continue;
      followed += 1;
      const { segments } = request;
      assert.deepEqual(segments.slice(0, -1), [...before.segments, before.output]);
      assert.ok(request.atMs > before.atMs);
    }
    assert.ok(followed > 300, `${followed}`);
  });

  test(`${name}: at the start conversations are in the middle, and none of them share more`, () => {
    const { requests } = play(find(name));
    const lengths = new Set<number>();
    const seen = new Set<number>();
    for (const { session, segments, atMs } of requests) {
      if (atMs > 60_000) break;
      if (seen.has(session)) continue;
      seen.add(session);
      lengths.add(segments.length);
    }
    assert.ok(lengths.size >= 4, 'conversations under way are at different turns');
    assert.equal(new Set(requests.map(({ output }) => output.id)).size, requests.length);
  });
}

test('what a conversation says does not depend on how fast others are answered', () => {
  const workload = find('interactive-chat');
  const options = { seed: 3, load: 0.2, durationMs: 400_000 };
  const shapes = (answerMs: number): Map<number, string[]> => {
    const played = playTraffic(workload.createTraffic(options), () => answerMs);
    const bySession = new Map<number, string[]>();
    for (const { session, tenant, segments, output } of played.requests) {
      const turns = bySession.get(session) ?? [];
      turns.push(`${tenant} ${segments.map(({ tokens }) => tokens).join(',')} ${output.tokens}`);
      bySession.set(session, turns);
    }
    return bySession;
  };
  const slow = shapes(9000);
  for (const [session, turns] of shapes(100)) {
    const others = slow.get(session) ?? [];
    assert.deepEqual(others, turns.slice(0, others.length));
  }
});

test('a closed loop never has more requests under way than clients', () => {
  for (const load of [0.1, 1]) {
    const { start } = sheets.BATCH_SYNTHETIC_DATA.parameters;
    assert.ok(start.value.kind === 'clients');
    const clients = Math.round(start.value.count * load);
    const { mostOpen, requests } = play(find('batch-synthetic-data'), { load });
    assert.equal(mostOpen, clients, 'workers do not wait');
    assert.ok(requests.length > clients * 2);
  }
});

test('a load too small for one client still has one', () => {
  assert.equal(play(find('batch-synthetic-data'), { load: 0.0001 }).mostOpen, 1);
});

test('applications share a system prompt, and one of them leads', () => {
  const { requests } = play(find('interactive-chat'));
  const systems = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { tenant, segments } of requests) {
    const system = segments[0]!;
    assert.equal(systems.get(tenant) ?? system.id, system.id);
    systems.set(tenant, system.id);
    counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  }
  const { value } = sheets.INTERACTIVE_CHAT.parameters.applications;
  assert.equal(systems.size, value);
  assert.equal(new Set(systems.values()).size, value);
  assert.ok(counts.get('application-1')! > 1.5 * counts.get('application-2')!);
});

test('shared-prefix asks each question once before any comes again', () => {
  const values = sheets.SHARED_PREFIX.parameters;
  const total = values.groups.value * values.promptsPerGroup.value;
  const { requests } = play(find('shared-prefix'));
  const questions = requests.map(({ segments }) => segments[1]!.id);
  assert.ok(questions.length > total);
  assert.equal(new Set(questions.slice(0, total)).size, total);
  assert.deepEqual(questions.slice(total), questions.slice(0, questions.length - total).slice(0));
  const groups = new Set(requests.map(({ segments }) => segments[0]!.id));
  assert.equal(groups.size, values.groups.value);
});

test('adapters are asked for by Zipf’s law', () => {
  const { exponent, adapters } = sheets.ADAPTER_ZOO.parameters;
  const workload = find('adapter-zoo');
  const counts = new Map<string, number>();
  let total = 0;
  for (let seed = 0; seed < 10; seed += 1) {
    for (const { adapter } of play(workload, { seed }).requests) {
      counts.set(adapter!, (counts.get(adapter!) ?? 0) + 1);
      total += 1;
    }
  }
  const weights = Array.from({ length: adapters.value }, (_, r) => (r + 1) ** -exponent.value);
  const sum = weights.reduce((whole, weight) => whole + weight, 0);
  for (const rank of [1, 2, 4, 8, 16]) {
    const expected = (weights[rank - 1]! / sum) * total;
    const count = counts.get(`adapter-${rank}`)!;
    assert.ok(Math.abs(count / expected - 1) < 0.1, `rank ${rank}: ${count}, not ${expected}`);
  }
  assert.equal(workload.adapters.length, adapters.value);
});

test('the noisy neighbour bursts and the others do not', () => {
  const { burstMs, periodMs, burstPerSecond, quietPerSecond } = sheets.NOISY_NEIGHBOUR.parameters;
  const rate = { noisy: 0, quiet: 0 };
  const { requests } = play(find('noisy-neighbour'));
  let burstSeconds = 0;
  const { durationMs } = find('noisy-neighbour').defaults;
  const isBurst = (atMs: number): boolean =>
    (atMs + periodMs.value / 2) % periodMs.value < burstMs.value;
  for (let atMs = 0; atMs < durationMs; atMs += 100) burstSeconds += isBurst(atMs) ? 0.1 : 0;
  for (const { tenant, atMs } of requests) {
    if (!isBurst(atMs)) continue;
    if (tenant === 'noisy') rate.noisy += 1 / burstSeconds;
    if (tenant === 'quiet-1') rate.quiet += 1 / burstSeconds;
  }
  assert.ok(Math.abs(rate.noisy / burstPerSecond.value - 1) < 0.12, `${rate.noisy}`);
  assert.ok(Math.abs(rate.quiet / quietPerSecond.value - 1) < 0.25, `${rate.quiet}`);
});

test('a day has more requests at noon than at night', () => {
  const workload = find('diurnal');
  const { durationMs } = workload.defaults;
  const { requests } = play(workload);
  const countIn = (from: number, to: number): number =>
    requests.filter(({ atMs }) => atMs >= from * durationMs && atMs < to * durationMs).length;
  assert.ok(countIn(0.45, 0.55) > 3 * (countIn(0, 0.05) + countIn(0.95, 1)));
});

test('open loops know how many requests to expect', () => {
  for (const workload of WORKLOADS) {
    const { durationMs } = workload.defaults;
    const source = workload.createTraffic({ seed: 2, load: 1, durationMs });
    if (source.expectedCount === null) continue;
    const { requests } = playTraffic(source);
    const share = requests.length / source.expectedCount;
    assert.ok(share > 0.8 && share < 1.2, `${workload.name}: ${share}`);
  }
});

test('names are found, and a near miss is told', () => {
  assert.equal(findWorkload('interactive-chat')?.name, 'interactive-chat');
  assert.equal(findWorkload('interactive'), null);
  assert.match(describeUnknownWorkload('interactive-chta'), /did you mean "interactive-chat"/);
  assert.match(describeUnknownWorkload('zzzzzzzzzz'), /workloads are interactive-chat, /);
  assert.equal(new Set(WORKLOADS.map(({ name }) => name)).size, WORKLOADS.length);
});
