import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_OBJECTIVE } from '../../scheduler/types.ts';
import { readObjective } from './objective.ts';

test('objectives are read under our names and the field’s, ours first', () => {
  assert.deepEqual(readObjective({}), { ok: true, value: NO_OBJECTIVE });
  assert.deepEqual(readObjective({ 'x-slo-ttft-ms': '500' }), {
    ok: true,
    value: { ttftMs: 500, tpotMs: null },
  });
  assert.deepEqual(
    readObjective({
      'x-penstock-slo-ttft-ms': '200',
      'x-llm-d-slo-ttft-ms': '900',
      'x-llm-d-slo-tpot-ms': '12.5',
    }),
    { ok: true, value: { ttftMs: 200, tpotMs: 12.5 } },
  );
});

test('anything but a positive number is refused by the name of its header', () => {
  for (const text of ['', '0', '-5', 'fast', '1e3', ' 5', '12ms', '99999999999', '5, 6']) {
    const read = readObjective({ 'x-slo-tpot-ms': text });
    assert.equal(read.ok, false, text);
    if (!read.ok) assert.match(read.error, /x-slo-tpot-ms/);
  }
});
