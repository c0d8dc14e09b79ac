import { PRESET_NAMES, PRESET_SUMMARIES } from '../../scheduler/presets.ts';
import { ENGINE_PROFILES, type EngineProfile } from '../../simulator/hardware/profiles.ts';
import { WORKLOADS } from '../../simulator/workloads/workloads.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { alignColumns } from '../lab-table.ts';
import { describeGood, formatTime } from '../lab-text.ts';
import type { ParsedOptions } from '../options.ts';

/** `penstock lab list`: workloads, profiles and policies by name. */
export function runLabList(options: ParsedOptions, context: CommandContext): Promise<number> {
  const isJson = options.boolean('json');
  context.writeOut(isJson ? `${JSON.stringify(listAll(), null, 2)}\n` : renderAll());
  return Promise.resolve(EXIT_CODES.ok);
}

function listAll(): unknown {
  return {
    workloads: WORKLOADS.map(({ name, summary, objective, loadUnit, defaults, adapters }) => ({
      name,
      summary,
      loadUnit,
      objective,
      defaults,
      adapters: adapters.length,
    })),
    profiles: ENGINE_PROFILES,
    policies: PRESET_NAMES.map((name) => ({ name, summary: PRESET_SUMMARIES[name] })),
  };
}

function renderAll(): string {
  const workloads = WORKLOADS.map(({ name, summary, loadUnit, objective, defaults }) => [
    `  ${name}`,
    `${summary} Load 1 is ${loadUnit} on ${defaults.replicas} x ${defaults.profile}, for ${formatTime(defaults.durationMs)}; good: ${describeGood(objective)}.`,
  ]);
  const profiles = ENGINE_PROFILES.map((profile) => [
    `  ${profile.name}`,
    profile.summary,
    describeProfile(profile),
  ]);
  const policies = PRESET_NAMES.map((name) => [`  ${name}`, PRESET_SUMMARIES[name]]);
  return [
    'Workloads',
    ...alignColumns(workloads, 2),
    '',
    'Profiles',
    ...alignColumns(profiles, 3),
    '',
    'Policies',
    ...alignColumns(policies, 2),
    '',
  ].join('\n');
}

function describeProfile(profile: EngineProfile): string {
  const { kvBlocks, blockSizeTokens, maxNumSeqs, maxNumBatchedTokens, hourlyUsd } = profile;
  const price = hourlyUsd === null ? 'no price' : `$${hourlyUsd.toFixed(2)}/hour`;
  const tokens = (kvBlocks * blockSizeTokens).toLocaleString('en-US');
  return `${tokens} tokens of KV cache, ${maxNumSeqs} sequences, ${maxNumBatchedTokens} tokens a step, ${price}`;
}
