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
  const workloads = WORKLOADS.flatMap(({ name, summary, loadUnit, objective, defaults }) => [
    `  ${name}`,
    `    ${summary}`,
    `    Load 1 is ${loadUnit}, for ${formatTime(defaults.durationMs)}, on ${defaults.replicas} x ${defaults.profile}; good is ${describeGood(objective)}.`,
  ]);
  const profiles = ENGINE_PROFILES.map(profileCells);
  const policies = PRESET_NAMES.map((name) => [`  ${name}`, PRESET_SUMMARIES[name]]);
  return [
    'Workloads',
    ...workloads,
    '',
    'Profiles',
    ...alignColumns([PROFILE_HEAD, ...profiles], 2),
    '',
    'Policies',
    ...alignColumns(policies, 2),
    '',
  ].join('\n');
}

const PROFILE_HEAD: readonly string[] = [
  '  name',
  'what it is',
  'KV tokens',
  'sequences',
  'tokens/step',
  '$/hour',
];

function profileCells(profile: EngineProfile): readonly string[] {
  const { kvBlocks, blockSizeTokens, maxNumSeqs, maxNumBatchedTokens, hourlyUsd } = profile;
  return [
    `  ${profile.name}`,
    profile.summary,
    (kvBlocks * blockSizeTokens).toLocaleString('en-US'),
    maxNumSeqs.toLocaleString('en-US'),
    maxNumBatchedTokens.toLocaleString('en-US'),
    hourlyUsd === null ? 'unknown' : hourlyUsd.toFixed(2),
  ];
}
