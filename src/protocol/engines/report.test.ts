import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parsePrometheus } from '../prometheus/parser.ts';
import { GENERIC } from './generic.ts';
import { readReport, wantedMetrics } from './report.ts';
import { SGLANG } from './sglang.ts';
import { VLLM } from './vllm.ts';

test('numbers that make no sense are no report', () => {
  const report = readReport(
    VLLM,
    parsePrometheus(
      [
        'vllm:num_requests_waiting NaN',
        'vllm:num_requests_running -1',
        'vllm:kv_cache_usage_perc 1.7',
        'vllm:cache_config_info{block_size="None",num_gpu_blocks="0"} 1',
      ].join('\n'),
    ),
  );
  assert.equal(report.waiting, null);
  assert.equal(report.running, null);
  assert.equal(report.kvCacheUsage, 1, 'a share over 1 is cut');
  assert.equal(report.blockSizeTokens, null);
  assert.equal(report.blockCount, null, 'no blocks before the cache is made');
  assert.equal(report.adapters, null, 'not reported is not the same as none');
});

test('a new name wins over the old one when an engine has both', () => {
  const text = 'vllm:gpu_cache_usage_perc 0.9\nvllm:kv_cache_usage_perc 0.2\n';
  assert.equal(readReport(VLLM, parsePrometheus(text)).kvCacheUsage, 0.2);
});

test('adapters of an older series are gone when the newest has none', () => {
  const series = (names: string, at: number): string =>
    `vllm:lora_requests_info{max_lora="2",running_lora_adapters="${names}",waiting_lora_adapters=""} ${at}`;
  const text = [series('a', 100), series('', 300), series('a,b', 200)].join('\n');
  assert.deepEqual(readReport(VLLM, parsePrometheus(text)).adapters, []);
});

test('ranks that repeat one number count once and data-parallel ranks add up', () => {
  const text = [
    'sglang:num_running_reqs{dp_rank="0",tp_rank="0",priority=""} 3',
    'sglang:num_running_reqs{dp_rank="0",tp_rank="1",priority=""} 3',
    'sglang:num_running_reqs{dp_rank="1",tp_rank="0",priority=""} 4',
    'sglang:num_running_reqs{dp_rank="1",tp_rank="0",priority="5"} 4',
    'sglang:token_usage{dp_rank="0",tp_rank="0"} 0.2',
    'sglang:token_usage{dp_rank="0",tp_rank="1"} 0.2',
    'sglang:token_usage{dp_rank="1",tp_rank="0"} 0.6',
  ].join('\n');
  const report = readReport(SGLANG, parsePrometheus(text));
  assert.equal(report.running, 7);
  assert.equal(report.kvCacheUsage, 0.4);
});

test('an engine without metrics reports nothing and asks for nothing', () => {
  assert.equal(wantedMetrics(GENERIC).size, 0);
  const report = readReport(GENERIC, parsePrometheus('vllm:num_requests_running 3'));
  assert.deepEqual(new Set(Object.values(report)), new Set([null]));
});
