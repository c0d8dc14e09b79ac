import { DEFAULT_PRESET } from '../scheduler/presets.ts';
import { ENGINE_SETTINGS, MODEL_OPTIONS } from './lab-options.ts';
import { integerRow, textRow } from './option-rows.ts';
import type { OptionDefinition } from './options.ts';

/** Options of `penstock lab calibrate`. */
export const LAB_CALIBRATE_OPTIONS: readonly OptionDefinition[] = Object.freeze([
  textRow(
    'profile',
    'NAME',
    'Profile to fit, as `penstock lab list` shows them; or a profile file.',
  ),
  textRow('measured', 'FILE', 'Measured run, as `penstock bench --json` writes it.'),
  textRow(
    'per-request',
    'FILE',
    'Single requests of the run, for reports of other tools, which do not say what was run.',
  ),
  integerRow('replicas', 'Engines behind the measured address.', {
    default: 1,
    min: 1,
    max: 10_000,
  }),
  {
    flag: 'policy',
    env: null,
    kind: 'string',
    default: DEFAULT_PRESET,
    unit: null,
    help: 'With several replicas: the preset or YAML file that chose between them.',
    placeholder: 'NAME',
  },
  ...MODEL_OPTIONS,
  ...ENGINE_SETTINGS,
  integerRow('runs', 'Simulated runs at most.', { default: 150, min: 20, max: 10_000 }),
  textRow(
    'out',
    'FILE',
    'Write a profile file with the factors, which can stand wherever a profile file can.',
  ),
]);
