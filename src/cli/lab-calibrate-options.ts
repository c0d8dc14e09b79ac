import { DEFAULT_PRESET } from '../scheduler/presets.ts';
import type { OptionDefinition } from './options.ts';

function text(flag: string, placeholder: string, help: string): OptionDefinition {
  return { flag, env: null, kind: 'string', default: null, unit: null, help, placeholder };
}

function integer(
  flag: string,
  help: string,
  bounds: { readonly default: number | null; readonly min: number; readonly max: number },
): OptionDefinition {
  return { flag, env: null, kind: 'integer', unit: null, help, ...bounds };
}

/** Options of `penstock lab calibrate`. */
export const LAB_CALIBRATE_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  text('profile', 'NAME', 'Profile to fit, as `penstock lab list` shows them; or a profile file.'),
  text('measured', 'FILE', 'Measured run, as `penstock bench --json` writes it.'),
  text(
    'per-request',
    'FILE',
    'Single requests of the run, for reports of other tools, which do not say what was run.',
  ),
  integer('replicas', 'Engines behind the measured address.', { default: 1, min: 1, max: 10_000 }),
  {
    flag: 'policy',
    env: null,
    kind: 'string',
    default: DEFAULT_PRESET,
    unit: null,
    help: 'With several replicas: the preset or YAML file that chose between them.',
    placeholder: 'NAME',
  },
  integer('max-num-seqs', 'What the engine was started with, where the profile has another.', {
    default: null,
    min: 1,
    max: 100_000,
  }),
  integer('max-num-batched-tokens', 'The same for the tokens of one step.', {
    default: null,
    min: 1,
    max: 10_000_000,
  }),
  integer('kv-blocks', 'The same for the blocks of KV cache, as the engine’s log says.', {
    default: null,
    min: 1,
    max: 100_000_000,
  }),
  integer('runs', 'Simulated runs at most.', { default: 150, min: 20, max: 10_000 }),
  text('out', 'FILE', 'Write a profile file with the factors, which can stand wherever a profile file can.'),
]);
