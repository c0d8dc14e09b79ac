import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { VirtualClock } from '../core/virtual-clock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { MetricsRegistry } from '../telemetry/registry.ts';
import { PluginFaults } from './plugin-faults.ts';

test('every fault is counted by name; the log has each plugin’s first and then one a minute', () => {
  const clock = new VirtualClock(0);
  const destination = new PassThrough();
  const lines: { plugin: string; faultsSince: number; err: { message: string } }[] = [];
  destination.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as never);
  });
  const metrics = new MetricsRegistry();
  const log = createLogger({ level: 'info', sampleRequests: 1, destination, clock });
  const faults = new PluginFaults({ clock, log, metrics });
  const failure = new TypeError('boom');
  for (let pick = 0; pick < 50; pick += 1) faults.note('mine', failure);
  faults.note('other', 'gave a score that is no number');
  clock.advance(60_000);
  faults.note('mine', failure);
  assert.deepEqual(
    lines.map(({ plugin, faultsSince }) => [plugin, faultsSince]),
    [
      ['mine', 0],
      ['other', 0],
      ['mine', 49],
    ],
  );
  assert.equal(lines[0]?.err.message, 'boom');
  assert.equal(metrics.counter('penstock_plugin_faults_total', ['mine']).value, 51);
});
