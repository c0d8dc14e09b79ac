import type { EngineSign, JsonPath } from './dialect.ts';

/** One answer of a server to a probe. */
export interface ProbeAnswer {
  readonly status: number;
  /** The `server` header; empty when there is none. */
  readonly server: string;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown;
}

/**
 * What a server answered so far, by path. A path that was not asked or did not answer is absent.
 */
export type ProbeEvidence = ReadonlyMap<string, ProbeAnswer>;

/** The value at `at`, or undefined where the way breaks off. */
export function valueAt(json: unknown, at: JsonPath): unknown {
  let value: unknown = json;
  for (const step of at) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

/** Whether a server that answered so shows `sign`. */
export function showsSign(evidence: ProbeEvidence, sign: EngineSign): boolean {
  switch (sign.kind) {
    case 'owner':
      return hasOwner(evidence, sign.owner.toLowerCase());
    case 'metric':
      return hasMetric(evidence, sign.prefix);
    case 'server':
      return hasServer(evidence, sign.contains.toLowerCase());
    case 'json': {
      const answer = evidence.get(sign.path);
      if (answer === undefined || answer.status !== 200) return false;
      return sign.has.every((at) => valueAt(answer.json, at) !== undefined);
    }
    case 'text': {
      const answer = evidence.get(sign.path);
      return answer?.status === 200 && answer.text.includes(sign.contains);
    }
  }
}

/** Entries of an OpenAI list looked at for their owner. */
const OWNERS_READ = 32;

function hasOwner(evidence: ProbeEvidence, owner: string): boolean {
  const data = valueAt(evidence.get('/v1/models')?.json, ['data']);
  if (!Array.isArray(data)) return false;
  return data.slice(0, OWNERS_READ).some((entry: unknown) => {
    const value = valueAt(entry, ['owned_by']);
    return typeof value === 'string' && value.toLowerCase() === owner;
  });
}

function hasMetric(evidence: ProbeEvidence, prefix: string): boolean {
  for (const [path, answer] of evidence) {
    if (!path.endsWith('/metrics') || answer.status !== 200 || answer.json !== undefined) continue;
    if (answer.text.startsWith(prefix) || answer.text.includes(`\n${prefix}`)) return true;
  }
  return false;
}

function hasServer(evidence: ProbeEvidence, contains: string): boolean {
  for (const answer of evidence.values()) {
    if (answer.server.toLowerCase().includes(contains)) return true;
  }
  return false;
}
