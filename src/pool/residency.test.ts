import assert from 'node:assert/strict';
import { test } from 'node:test';
import { poolId } from '../core/ids.ts';
import type { AdapterReport } from '../protocol/engines/dialect.ts';
import type { Endpoint } from './endpoint.ts';
import type { FleetWorld } from './testing/builders.ts';
import {
  adapter,
  baseModel,
  createFleetWorld,
  factsOf,
  reportOf,
  specsOf,
} from './testing/builders.ts';

const POOL = poolId('p');
const NAMES = ['x', 'y', 'z'] as const;

interface AdapterWorld extends FleetWorld {
  readonly endpoint: Endpoint;
  /** Residency of each of `NAMES` on `endpoint`. */
  readonly levels: () => number[];
}

function createAdapterWorld(): AdapterWorld {
  const world = createFleetWorld();
  const { fleet } = world;
  fleet.setPool(POOL, specsOf(2));
  const [endpoint, other] = fleet.endpoints();
  const facts = factsOf(baseModel('m'), ...NAMES.map((name) => adapter(name, 'm')));
  fleet.setFacts(endpoint!, facts);
  fleet.setFacts(other!, facts);
  const levels = (): number[] => NAMES.map((name) => fleet.served(POOL, name)!.residency![0]!);
  return { ...world, endpoint: endpoint!, levels };
}

function states(change: Partial<Record<string, AdapterReport['state']>>): readonly AdapterReport[] {
  return Object.entries(change).map(([name, state]) => ({ name, state: state! }));
}

test('reported adapters show in place: 2 active, 1 loaded or waited for, 0 listed', () => {
  const { fleet, endpoint, levels } = createAdapterWorld();
  const served = fleet.served(POOL, 'x')!;
  const { version } = fleet;
  fleet.setReport(endpoint, reportOf({ adapters: states({ x: 'active', y: 'waiting' }) }));
  assert.deepEqual(levels(), [2, 1, 0]);
  assert.deepEqual([...served.residency!], [2, 0]);
  fleet.setReport(endpoint, reportOf({ adapters: states({ x: 'loaded', z: 'active' }) }));
  assert.deepEqual(levels(), [1, 0, 2]);
  assert.equal(fleet.version, version);
});

test('an adapter we routed counts as resident until others needed its slot', () => {
  const { fleet, endpoint, levels } = createAdapterWorld();
  fleet.setReport(endpoint, reportOf({ adapters: [], adapterSlots: 2 }));
  for (const name of NAMES) {
    fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, name)).release();
  }
  assert.deepEqual(levels(), [0, 1, 1]);
  fleet.setReport(endpoint, reportOf({ adapters: states({ z: 'active' }) }));
  assert.deepEqual(levels(), [0, 1, 2]);
});

test('an engine that names idle adapters is believed about those it does not name', () => {
  const { clock, fleet, endpoint, levels } = createAdapterWorld();
  fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, 'x'));
  fleet.setReport(endpoint, reportOf({ adapters: states({ y: 'loaded' }) }));
  assert.deepEqual(levels(), [1, 1, 0]);
  clock.advance(5_000);
  fleet.setReport(endpoint, reportOf({ adapters: states({ y: 'loaded' }) }));
  assert.deepEqual(levels(), [0, 1, 0]);
});

test('what we routed long ago is forgotten', () => {
  const { clock, fleet, endpoint, levels } = createAdapterWorld();
  fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, 'x'));
  clock.advance(400_000);
  fleet.setReport(endpoint, reportOf());
  assert.deepEqual(levels(), [0, 0, 0]);
});

test('a restart clears all residency', () => {
  const { fleet, endpoint, levels } = createAdapterWorld();
  fleet.setReport(endpoint, reportOf({ promptTokensTotal: 9, adapters: states({ y: 'loaded' }) }));
  fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, 'x'));
  assert.deepEqual(levels(), [1, 1, 0]);
  fleet.setReport(endpoint, reportOf({ promptTokensTotal: 0 }));
  assert.deepEqual(levels(), [0, 0, 0]);
});

test('booking a base model changes no residency', () => {
  const { fleet, endpoint, levels } = createAdapterWorld();
  fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, 'm'));
  fleet.book(endpoint.slot, 1, 1);
  assert.deepEqual(levels(), [0, 0, 0]);
});

test('residency survives a rebuild of the index', () => {
  const { fleet, endpoint, levels } = createAdapterWorld();
  fleet.book(endpoint.slot, 1, 1, fleet.served(POOL, 'x'));
  fleet.setPool(POOL, specsOf(3));
  assert.deepEqual(levels(), [1, 0, 0]);
});
