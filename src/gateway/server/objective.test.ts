import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../core/result.ts';
import type { LatencyObjective } from '../../scheduler/types.ts';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { readObjective } from './objective.ts';
import { parseRequestHead } from './request-head.ts';

function read(...lines: readonly string[]): Result<LatencyObjective, string> {
  const text = ['POST / HTTP/1.1', 'Host: x', ...lines, ''].join('\r\n');
  const head = parseRequestHead(text);
  assert.ok(!('code' in head), JSON.stringify(head));
  return readObjective(head);
}

test('objectives are read under our names and the field’s, ours first', () => {
  assert.deepEqual(read(), { ok: true, value: NO_OBJECTIVE });
  assert.deepEqual(read('x-slo-ttft-ms: 500'), { ok: true, value: { ttftMs: 500, tpotMs: null } });
  assert.deepEqual(
    read('x-llm-d-slo-ttft-ms: 900', 'X-Penstock-Slo-TTFT-ms: 200', 'x-llm-d-slo-tpot-ms: 12.5'),
    { ok: true, value: { ttftMs: 200, tpotMs: 12.5 } },
  );
});

test('anything but a positive number is refused by the name of its header', () => {
  for (const text of ['', '0', '-5', 'fast', '1e3', '\xa05', '12ms', '99999999999', '5, 6']) {
    const result = read(`x-slo-tpot-ms: ${text}`);
    assert.equal(result.ok, false, text);
    if (!result.ok) assert.match(result.error, /x-slo-tpot-ms/);
  }
  assert.equal(read('x-slo-tpot-ms: 5', 'x-slo-tpot-ms: 6').ok, false, 'given twice');
});
