import { must } from '../core/assert.ts';
import { fail, succeed, type Result } from '../core/result.ts';
import type { EngineProfile } from '../simulator/hardware/profiles.ts';
import { startUpMs, type StartUpCaches } from '../simulator/hardware/start-up.ts';
import type { FleetPart, JobEvent } from '../simulator/lab/jobs.ts';
import { parseDuration } from '../simulator/workloads/duration.ts';
import { splitList } from './lab-values.ts';
import type { ParsedOptions } from './options.ts';

const HINT =
  'write start:3@60s, start:3@60s:cached=node+image, restart:2@60s:30s, slow:0@60s:1.5, drain:1@60s, sleep:1@60s, sleep:1@60s:level=2 or wake:1@90s';
const CACHES: readonly (keyof StartUpCaches)[] = ['node', 'image', 'weights', 'compile'];
const NOTHING: StartUpCaches = { node: false, image: false, weights: false, compile: false };
/** What a process that ends and comes back in its place finds there. */
const EVERYTHING: StartUpCaches = { node: true, image: true, weights: true, compile: true };

/** The events of `--event`, checked against the fleet. */
export function readEvents(
  options: ParsedOptions,
  fleet: readonly FleetPart[],
): Result<readonly JobEvent[], string> {
  const profiles = fleet.flatMap(({ profile, replicas }) =>
    Array.from({ length: replicas }, () => profile),
  );
  const events: JobEvent[] = [];
  for (const text of splitList(options.list('event'))) {
    const event = parseEvent(text, profiles);
    if (!event.ok) return fail(`--event: ${event.error}`);
    const { endpoint, event: what } = event.value;
    const isSecondStart =
      what.kind === 'start' &&
      events.some((other) => other.endpoint === endpoint && other.event.kind === 'start');
    if (isSecondStart) return fail(`--event: ${text}: endpoint ${endpoint} starts twice`);
    events.push(event.value);
  }
  return succeed(events);
}

/**
 * Reads `start:3@60s`, `restart:2@60s:30s`, `slow:0@60s:1.5`, `drain:1@60s`, `sleep:1@60s:level=2`
 * or `wake:1@90s` for a fleet of endpoints with these profiles.
 */
export function parseEvent(
  text: string,
  profiles: readonly EngineProfile[],
): Result<JobEvent, string> {
  const match = /^(start|restart|slow|drain|sleep|wake):(\d{1,5})@([^:]+)(?::(.+))?$/.exec(text);
  if (match === null) return fail(`${text} is no event; ${HINT}`);
  const [, kind, index, at = '', rest] = match;
  const endpoint = Number(index);
  const profile = profiles[endpoint];
  if (profile === undefined) {
    return fail(`${text}: there is no endpoint ${endpoint}; they are 0 to ${profiles.length - 1}`);
  }
  const atMs = parseDuration(at, 0);
  if (!atMs.ok) return fail(`${text}: ${atMs.error}`);
  const event = createEvent(must(kind, 'a kind'), { atMs: atMs.value, rest, profile });
  return event.ok ? succeed({ endpoint, event: event.value }) : fail(`${text}: ${event.error}`);
}

interface EventParts {
  readonly atMs: number;
  /** What stands behind the time; undefined: nothing. */
  readonly rest: string | undefined;
  readonly profile: EngineProfile;
}

function createEvent(kind: string, parts: EventParts): Result<JobEvent['event'], string> {
  const { atMs, rest } = parts;
  if (kind === 'drain' || kind === 'wake') {
    if (rest === undefined) return succeed({ kind, atMs });
    return fail(`nothing stands behind the time of a ${kind}; ${HINT}`);
  }
  if (kind === 'sleep') return createSleep(parts);
  if (kind === 'slow') return createSlowdown(parts);
  const tookMs = readStartUp(parts, kind === 'start' ? NOTHING : EVERYTHING);
  if (!tookMs.ok) return tookMs;
  return kind === 'start'
    ? succeed({ kind, readyAtMs: atMs + tookMs.value })
    : succeed({ kind: 'restart', atMs, downMs: tookMs.value });
}

function createSlowdown({ atMs, rest }: EventParts): Result<JobEvent['event'], string> {
  const factor = Number(rest ?? Number.NaN);
  return factor > 0 && factor <= 1000
    ? succeed({ kind: 'slow', atMs, factor })
    : fail(`expected a factor above 0 and up to 1000; ${HINT}`);
}

/** Level 1, vLLM's usual one, keeps weights in host memory, 2 drops them. */
function createSleep({ atMs, rest }: EventParts): Result<JobEvent['event'], string> {
  if (rest === undefined || rest === 'level=1') return succeed({ kind: 'sleep', atMs, level: 1 });
  return rest === 'level=2'
    ? succeed({ kind: 'sleep', atMs, level: 2 })
    : fail(`a sleep has level 1 or 2; ${HINT}`);
}

/** How long a start takes: a time, or the profile's phases with what is cached. */
function readStartUp({ rest, profile }: EventParts, usual: StartUpCaches): Result<number, string> {
  if (rest === undefined) return succeed(startUpMs(profile, { cached: usual }));
  if (!rest.startsWith('cached=')) {
    const given = parseDuration(rest, 0);
    return given.ok ? given : fail(`${given.error}; ${HINT}`);
  }
  const names = rest.slice('cached='.length).split('+');
  const unknown = names.find((name) => !CACHES.some((each) => each === name));
  if (unknown !== undefined) {
    return fail(`${JSON.stringify(unknown)} is nothing to cache; ${CACHES.join(', ')} are`);
  }
  const cached = Object.fromEntries(names.map((name) => [name, true]));
  return succeed(startUpMs(profile, { cached: { ...NOTHING, ...cached } }));
}
