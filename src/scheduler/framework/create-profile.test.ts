import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../core/rng.ts';
import { LatencyModel } from '../latency/latency-model.ts';
import { PRESETS } from '../presets.ts';
import { createFixedIndex } from '../testing/test-parts.ts';
import { BUILTIN_PLUGINS } from './builtins.ts';
import { formatProfileProblem } from './check-profile.ts';
import { createProfile } from './create-profile.ts';
import type { PluginDefinition, PluginInstance } from './plugin.ts';
import { createRegistry } from './registry.ts';

function problems(
  plugins: readonly Partial<PluginInstance>[],
  more: readonly PluginDefinition[] = [],
): readonly string[] {
  const built = createProfile(
    {
      name: 'mine',
      plugins: plugins.map((plugin) => {
        const type = plugin.type ?? 'queue-scorer';
        return { type, name: type, options: {}, weight: 1, ...plugin };
      }),
      rankedCount: 3,
    },
    {
      registry: createRegistry([...BUILTIN_PLUGINS, ...more]),
      rng: createRng(1),
      prefixIndex: createFixedIndex([]),
      latency: new LatencyModel(),
      openAssumed: () => createFixedIndex([]),
      onPluginFault: () => assert.fail('nothing runs'),
    },
  );
  return built.ok ? [] : built.error.map(formatProfileProblem);
}

test('every preset builds', () => {
  for (const { plugins } of Object.values(PRESETS)) assert.deepEqual(problems(plugins), []);
});

test('an unknown type is refused by name with the nearest known one', () => {
  assert.deepEqual(problems([{ type: 'queue-scorers', name: 'q' }]), [
    'plugin "q": is of the unknown type "queue-scorers"; did you mean "queue-scorer"?',
  ]);
});

test('a wrong option is refused by the names of plugin and option', () => {
  assert.deepEqual(
    problems([{ type: 'load-aware-scorer', name: 'load', options: { treshold: 1 } }]),
    ['plugin "load": option "treshold" is unknown; did you mean "threshold"?'],
  );
});

test('two plugins of one name, a second picker and a negative weight are refused', () => {
  assert.match(problems([{}, {}]).join(), /"queue-scorer": has a name that another one has/);
  const pickers = [{ type: 'random-picker' }, { type: 'max-score-picker' }];
  assert.match(problems(pickers).join(), /"max-score-picker": is a second picker/);
  assert.match(problems([{ weight: -1 }]).join(), /weight of 0 or more/);
  assert.match(problems([{ weight: Number.NaN }]).join(), /weight of 0 or more/);
});

test('two instances of one type are told apart by name', () => {
  const conditions = [{ metric: 'waiting-queue', maxValue: 1 }];
  const filters = ['a', 'b'].map((name) => {
    return { type: 'utilization-filter', name, options: { conditions } };
  });
  assert.deepEqual(problems(filters), []);
});

test('a plugin that cannot be made, or is not what it says, is a problem and no exception', () => {
  const base = { kind: 'scorer', summary: '', options: [] } as const;
  const broken: PluginDefinition = {
    ...base,
    type: 'broken',
    create: () => {
      throw new TypeError('no luck');
    },
  };
  const wrong = { ...base, type: 'wrong', create: () => ({ type: 'wrong', name: 'wrong' }) };
  const more = [broken, wrong as unknown as PluginDefinition];
  assert.deepEqual(problems([{ type: 'broken' }], more), [
    'plugin "broken": could not be made: no luck',
  ]);
  assert.deepEqual(problems([{ type: 'wrong' }], more), [
    'plugin "wrong": is no scorer: its "create" returned something else',
  ]);
});

test('a registry takes no type twice, and knows the nearest one', () => {
  assert.throws(() => createRegistry([...BUILTIN_PLUGINS, BUILTIN_PLUGINS[0]!]), /defined twice/);
  const registry = createRegistry(BUILTIN_PLUGINS);
  assert.equal(registry.nearest('decode-filters'), 'decode-filter');
  assert.equal(registry.find('decode-filters'), null);
});
