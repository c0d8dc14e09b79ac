import { PRESETS, type PresetName } from '../../scheduler/presets.ts';
import type { HoldingsSource, PluginInstance } from '../../scheduler/framework/plugin.ts';
import type { LabPolicy } from '../lab/types.ts';
import type { Measure, PublishedFigure } from './published-types.ts';

/** A preset as it is shipped. */
export function preset(name: PresetName): LabPolicy {
  return { name, profile: PRESETS[name], plugins: [] };
}

/** Plugins that count alike; a prefix scorer among them knows of caches what `holdings` says. */
export function weighted(
  name: string,
  types: readonly string[],
  holdings: HoldingsSource = 'corrected',
): LabPolicy {
  const plugins: readonly PluginInstance[] = types.map((type) => ({
    type,
    name: type,
    options: type === 'prefix-cache-scorer' ? { holdings } : {},
    weight: 1,
  }));
  return { name, profile: { name, plugins, rankedCount: 3 }, plugins: [] };
}

/** A published number with its tolerance as a share; null for orientation only. */
export function figure(
  what: readonly [measure: Measure, stage: number | null, value: number],
  tolerance: number | null,
  cause: string,
): PublishedFigure {
  const [measure, stage, value] = what;
  return {
    measure,
    stage,
    value,
    tolerance: tolerance === null ? null : { share: tolerance, absolute: ABSOLUTE[measure] },
    cause,
  };
}

/** Gaps below these are none, whatever their share: sources round to a digit. */
const ABSOLUTE: Readonly<Record<Measure, number>> = {
  outputTokensPerSecond: 0,
  ttftMeanSeconds: 0.5,
  ttftP50Seconds: 0.5,
  ttftP90Seconds: 0.5,
  tpotMeanMs: 1,
  spanSeconds: 1,
};

/** The same numbers without tolerances. */
export function orient(
  figures: readonly PublishedFigure[],
  cause: string,
): readonly PublishedFigure[] {
  return figures.map((each) => ({ ...each, tolerance: null, cause }));
}

/** Cause of rows whose policy the source has not. */
export const OURS: string = 'beside the best of the source';
