import { fail, succeed } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { EndpointSpec } from '../pool/endpoint.ts';
import { BUILTIN_DIALECTS, dialectOf, recognise } from '../protocol/engines/builtins.ts';
import type {
  EndpointFacts,
  EngineDialect,
  EngineReport,
  ServedModelFact,
} from '../protocol/engines/dialect.ts';
import { valueAt } from '../protocol/engines/evidence.ts';
import type { ProbeAnswer } from '../protocol/engines/evidence.ts';
import { readModelList, readNumberFact, readVersion } from '../protocol/engines/model-facts.ts';
import { readReport, wantedMetrics } from '../protocol/engines/report.ts';
import { parsePrometheus } from '../protocol/prometheus/parser.ts';
import type { HttpFailure } from './http-failure.ts';
import type { ServerClient } from './server-client.ts';

/** Where an engine's metrics were found. */
export interface MetricsLocation {
  readonly path: string;
  /** Null: the server's own port. */
  readonly port: number | null;
}

/** All that a probe has learned. */
export interface Learned {
  readonly dialect: EngineDialect;
  readonly facts: EndpointFacts;
  readonly metrics: MetricsLocation | null;
  readonly report: EngineReport | null;
  /** Context of base models that the list gives none for; null when not known either. */
  readonly contextTokens: number | null;
  /** Whether the server tells if it sleeps. */
  readonly tellsSleep: boolean;
}

/**
 * `waiting`: it answers but is not to be used yet; `failed`: it does not answer, or not usefully.
 */
export type ProbeOutcome =
  | { readonly kind: 'ready'; readonly learned: Learned }
  | { readonly kind: 'waiting' | 'failed'; readonly reason: string };

const FIRST_PATH = '/v1/models';
const EARLY_PATHS: readonly string[] = Object.freeze(['/metrics', '/version']);

/** Surer than this, no more questions are asked to recognise the engine. */
const SURE = 0.8;

/** Why a sleeping engine gets no requests; shown by the admin API. */
export const ASLEEP = 'the engine sleeps';

/**
 * Learns what the server is and serves. Questions go out in rounds, each side by side:
 *
 *     /v1/models ─► /metrics, /version ─► (unsure) what other engines have ─► what this engine has
 *
 * A server that does not answer costs one request, a vLLM five, an unknown one about a dozen.
 */
export async function probeServer(client: ServerClient, spec: EndpointSpec): Promise<ProbeOutcome> {
  const interview = new Interview(client);
  await interview.ask([FIRST_PATH]);
  const unreached = interview.unreached;
  if (unreached !== null) return { kind: 'failed', reason: unreached.message };
  const dialect = spec.engine === null ? await findDialect(interview) : dialectOf(spec.engine);
  await interview.ask(pathsOf(dialect));
  const notReady = whyNotReady(dialect, interview);
  if (notReady !== null) return { kind: 'waiting', reason: notReady };
  return conclude(dialect, interview, spec);
}

async function findDialect(interview: Interview): Promise<EngineDialect> {
  await interview.ask(EARLY_PATHS);
  const early = recognise(interview.answers);
  if (early.confidence >= SURE) return early.dialect;
  const signs = BUILTIN_DIALECTS.flatMap((dialect) => dialect.signs);
  await interview.ask(signs.flatMap((sign) => ('path' in sign ? [sign.path] : [])));
  return recognise(interview.answers).dialect;
}

function pathsOf(dialect: EngineDialect): readonly string[] {
  return [
    dialect.modelList.path,
    dialect.healthPath,
    ...(dialect.metrics?.paths ?? []),
    ...dialect.facts.map((fact) => fact.path),
    ...(dialect.sleep === null ? [] : [dialect.sleep.path]),
  ];
}

function whyNotReady(dialect: EngineDialect, interview: Interview): string | null {
  for (const path of [dialect.modelList.path, dialect.healthPath]) {
    const answer = interview.answers.get(path);
    if (answer?.status === 503) return `${path} answers 503: the engine is still starting`;
  }
  return isAsleep(dialect, interview.answers.get(dialect.sleep?.path ?? '')) ? ASLEEP : null;
}

/** Whether `answer`, given at the dialect's sleep path, says that the engine sleeps. */
export function isAsleep(dialect: EngineDialect, answer: ProbeAnswer | undefined): boolean {
  if (dialect.sleep === null || answer?.status !== 200) return false;
  return valueAt(answer.json, dialect.sleep.at) === true;
}

async function conclude(
  dialect: EngineDialect,
  interview: Interview,
  spec: EndpointSpec,
): Promise<ProbeOutcome> {
  const listed = readListed(dialect, interview);
  if (!listed.ok && spec.models === null) {
    const wayOut = 'name the models of this server in the configuration';
    return { kind: 'failed', reason: `${listed.error}; ${wayOut}` };
  }
  const { location, report } = await findMetrics(dialect, interview);
  const contextTokens = readNumberFact(dialect, 'contextTokens', interview.answers);
  const models = chooseModels(listed.ok ? listed.value : [], spec.models, contextTokens);
  const learned: Learned = {
    dialect,
    facts: { ...readCapacity(dialect, interview, report), models },
    metrics: location,
    report,
    contextTokens,
    tellsSleep: dialect.sleep !== null && interview.answers.get(dialect.sleep.path)?.status === 200,
  };
  return { kind: 'ready', learned };
}

function readListed(
  dialect: EngineDialect,
  interview: Interview,
): Result<readonly ServedModelFact[], string> {
  const { path, format } = dialect.modelList;
  const answer = interview.answers.get(path);
  if (answer === undefined) return fail(`${path} does not answer`);
  const listed = answer.status === 200 ? readModelList(format, answer.json) : null;
  if (listed !== null) return succeed(listed);
  return fail(`${path} answers ${answer.status} without a model list`);
}

function readCapacity(
  dialect: EngineDialect,
  interview: Interview,
  report: EngineReport | null,
): Omit<EndpointFacts, 'models'> {
  const { answers } = interview;
  const blockSize = report?.blockSizeTokens ?? readNumberFact(dialect, 'blockSizeTokens', answers);
  const blockCount = report?.blockCount ?? readNumberFact(dialect, 'blockCount', answers);
  return {
    engine: dialect.engine,
    version: readVersion(dialect, answers),
    blockSizeTokens: blockSize,
    blockCount,
    maxRunning: readNumberFact(dialect, 'maxRunning', answers),
  };
}

/**
 * The models to use of a list. Configured ones stand even when the list lacks them, and hide all
 * others but their adapters. `contextTokens` fills in for base models without one.
 */
export function chooseModels(
  listed: readonly ServedModelFact[],
  configured: readonly string[] | null,
  contextTokens: number | null,
): readonly ServedModelFact[] {
  const complete = listed.map((model) =>
    model.contextTokens === null && model.baseModel === null ? { ...model, contextTokens } : model,
  );
  if (configured === null) return complete;
  const wanted = new Set(configured);
  const kept = complete.filter(
    (model) => wanted.has(model.id) || (model.baseModel !== null && wanted.has(model.baseModel)),
  );
  const known = new Set(kept.map((model) => model.id));
  const missing = configured.filter((id) => !known.has(id));
  return [...kept, ...missing.map((id) => ({ id, baseModel: null, contextTokens }))];
}

interface FoundMetrics {
  readonly location: MetricsLocation | null;
  readonly report: EngineReport | null;
}

async function findMetrics(dialect: EngineDialect, interview: Interview): Promise<FoundMetrics> {
  const { paths, alternativePort: port } = dialect.metrics ?? { paths: [], alternativePort: null };
  for (const path of paths) {
    const report = readMetrics(dialect, interview.answers.get(path));
    if (report !== null) return { location: { path, port: null }, report };
  }
  const [path] = paths;
  if (port === null || path === undefined) return { location: null, report: null };
  const report = readMetrics(dialect, await interview.askPort(port, path));
  return { location: report === null ? null : { path, port }, report };
}

const WANTED: ReadonlyMap<EngineDialect, ReadonlySet<string>> = new Map(
  BUILTIN_DIALECTS.map((dialect) => [dialect, wantedMetrics(dialect)]),
);

/**
 * The query that asks for what `readMetrics` reads; '' where the engine cannot leave out the rest.
 */
export function metricsQuery(dialect: EngineDialect): string {
  if (dialect.metrics === null || !dialect.metrics.filtersByName) return '';
  const names = [...(WANTED.get(dialect) ?? [])].map(
    (name) => `name[]=${encodeURIComponent(name)}`,
  );
  return `?${names.join('&')}`;
}

/** The report in an answer; null when it is an error, JSON or a web page rather than metrics. */
export function readMetrics(
  dialect: EngineDialect,
  answer: ProbeAnswer | undefined,
): EngineReport | null {
  if (answer === undefined || answer.status !== 200 || answer.json !== undefined) return null;
  if (answer.text.startsWith('<')) return null;
  const wanted = WANTED.get(dialect) ?? wantedMetrics(dialect);
  return readReport(dialect, parsePrometheus(answer.text, { wanted }));
}

/** The answers of one server so far. No path is asked twice. */
class Interview {
  readonly answers = new Map<string, ProbeAnswer>();
  readonly #client: ServerClient;
  readonly #asked = new Set<string>();
  #failure: HttpFailure | null = null;

  constructor(client: ServerClient) {
    this.#client = client;
  }

  /** Why the server cannot be reached; null as soon as it has answered anything. */
  get unreached(): HttpFailure | null {
    return this.answers.size > 0 ? null : this.#failure;
  }

  async ask(paths: readonly string[]): Promise<void> {
    const fresh = [...new Set(paths)].filter((path) => !this.#asked.has(path));
    await Promise.all(
      fresh.map(async (path) => {
        this.#asked.add(path);
        const result = await this.#client.get(path);
        if (result.ok) this.answers.set(path, result.value);
        else this.#failure = result.error;
      }),
    );
  }

  async askPort(port: number, path: string): Promise<ProbeAnswer | undefined> {
    const result = await this.#client.getAtPort(port, path);
    return result.ok ? result.value : undefined;
  }
}
