import { fail, succeed, type Result } from '../core/result.ts';
import type { EngineOverrides } from '../simulator/hardware/profiles.ts';
import type { FleetPart } from '../simulator/lab/jobs.ts';
import type { Workload } from '../simulator/workloads/types.ts';
import { readModelProfile } from './profile-options.ts';
import { parseFleetWish, splitList, type FleetWish } from './lab-values.ts';
import type { ParsedOptions } from './options.ts';
import { readProfile } from './profile-file.ts';

/** The fleet of `--profile`, `--replicas` and the engine's options. */
export async function readFleet(
  options: ParsedOptions,
  { defaults }: Workload,
): Promise<Result<readonly FleetPart[], string>> {
  const overrides = readOverrides(options);
  const replicas = options.number('replicas');
  const own = await readModelProfile(options);
  if (!own.ok) return own;
  if (own.value !== null) {
    const { profile } = own.value;
    return checkFleet([{ profile, replicas: replicas ?? defaults.replicas, overrides }]);
  }
  const wishes = readWishes(options, defaults.profile);
  if (!wishes.ok) return wishes;
  const parts: FleetPart[] = [];
  for (const { name, replicas: wanted } of wishes.value) {
    const found = await readProfile(name);
    if (!found.ok) return fail(`--profile: ${found.error}`);
    const { profile } = found.value;
    parts.push({ profile, replicas: wanted ?? replicas ?? defaults.replicas, overrides });
  }
  const isCounted = wishes.value.every(({ replicas: wanted }) => wanted !== null);
  if (isCounted && replicas !== null) {
    return fail('--replicas has no meaning when every profile has its count; leave one away');
  }
  return checkFleet(parts);
}

function readWishes(options: ParsedOptions, profile: string): Result<readonly FleetWish[], string> {
  const texts = splitList(options.list('profile'));
  const wishes: FleetWish[] = [];
  for (const text of texts.length === 0 ? [profile] : texts) {
    const wish = parseFleetWish(text);
    if (!wish.ok) return fail(`--profile ${wish.error}`);
    wishes.push(wish.value);
  }
  return succeed(wishes);
}

/** The profiles that `lab size` compares, as fleets of one. */
export async function readAlternatives(
  options: ParsedOptions,
  { defaults }: Workload,
): Promise<Result<readonly FleetPart[], string>> {
  const overrides = readOverrides(options);
  const own = await readModelProfile(options);
  if (!own.ok) return own;
  if (own.value !== null) {
    return checkFleet([{ profile: own.value.profile, replicas: 1, overrides }]);
  }
  const names = splitList(options.list('profile'));
  const parts: FleetPart[] = [];
  for (const name of names.length === 0 ? [defaults.profile] : names) {
    if (/:\d+$/.test(name)) {
      return fail(`--profile ${name}: the count is what "lab size" finds; leave it away`);
    }
    const found = await readProfile(name);
    if (!found.ok) return fail(`--profile: ${found.error}`);
    const { profile } = found.value;
    if (parts.some((part) => part.profile.name === profile.name)) {
      return fail(`--profile ${name}: ${profile.name} is given twice`);
    }
    parts.push({ profile, replicas: 1, overrides });
  }
  return checkFleet(parts);
}

function checkFleet(fleet: readonly FleetPart[]): Result<readonly FleetPart[], string> {
  for (const { profile, overrides } of fleet) {
    const sequences = overrides.maxNumSeqs ?? profile.maxNumSeqs;
    const tokens = overrides.maxNumBatchedTokens ?? profile.maxNumBatchedTokens;
    if (tokens < sequences) {
      return fail(
        `${profile.name}: a step of ${tokens} tokens cannot hold ${sequences} sequences; raise --max-num-batched-tokens or lower --max-num-seqs`,
      );
    }
  }
  return succeed(fleet);
}

/** Engine settings of the command line in place of the profile's. */
export function readOverrides(options: ParsedOptions): EngineOverrides {
  const engine = readGiven(options, [
    ['maxNumSeqs', 'max-num-seqs'],
    ['maxNumBatchedTokens', 'max-num-batched-tokens'],
    ['kvBlocks', 'kv-blocks'],
    ['maxModelLenTokens', 'max-model-len'],
  ]);
  const adapters = readGiven(options, [
    ['slots', 'max-loras'],
    ['cpuSlots', 'max-cpu-loras'],
  ]);
  return {
    ...engine,
    ...(Object.keys(adapters).length === 0 ? {} : { adapters }),
    ...(options.boolean('prefix-caching') ? {} : { isPrefixCaching: false }),
  };
}

/** The numbers that were given, under their fields. */
function readGiven<Field extends string>(
  options: ParsedOptions,
  numbers: readonly (readonly [Field, string])[],
): Partial<Record<Field, number>> {
  const given = numbers.flatMap(([field, flag]): readonly (readonly [Field, number])[] => {
    const value = options.number(flag);
    return value === null ? [] : [[field, value]];
  });
  return Object.fromEntries(given) as Partial<Record<Field, number>>;
}
