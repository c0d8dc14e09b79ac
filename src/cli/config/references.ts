import { isSameListenAddress, parseHostPort, parseServerUrl } from './address.ts';
import type { FileConfig, FileModel, FilePool, FileTier } from './file-config.ts';
import { formatPath, quote, type ConfigPath } from './problem.ts';
import { findNearest } from '../../core/nearest.ts';

/** Takes a problem that concerns the value at `path`. */
export type ReportProblem = (path: ConfigPath, message: string, suggestion?: string) => void;

/**
 * Checks what no single key shows: duplicates, clashes, dangling references and impossible
 * combinations.
 */
export function checkReferences(config: FileConfig, report: ReportProblem): void {
  checkListeners(config, report);
  checkServers(config, report);
  for (const [index, pool] of config.pools.entries()) checkPool(pool, ['pools', index], report);
  checkNames(config, report);
  for (const [index, model] of config.models.entries()) {
    checkModel(config, model, { path: ['models', index], report });
  }
  checkOrder(config.ejection, ['ejection'], { keys: ['baseMs', 'maxMs'], report });
  checkOrder(config.scrape, ['scrape'], {
    keys: ['fastMs', 'idleMs', 'staleMs', 'forgetMs'],
    report,
  });
}

/** Reports every value that came before; remembers where. */
class Uniqueness {
  readonly #what: string;
  readonly #report: ReportProblem;
  readonly #seen: Map<string, ConfigPath> = new Map();

  constructor(what: string, report: ReportProblem) {
    this.#what = what;
    this.#report = report;
  }

  add(value: string, path: ConfigPath): void {
    const first = this.#seen.get(value);
    if (first === undefined) this.#seen.set(value, path);
    else {
      const message = `${this.#what} ${quote(value)} is already used by ${formatPath(first)}`;
      this.#report(path, message);
    }
  }
}

function checkListeners(config: FileConfig, report: ReportProblem): void {
  const places: readonly (readonly [string, ConfigPath])[] = [
    ...config.listeners.map(({ address }, index) => {
      const path: ConfigPath = ['listeners', index, 'address'];
      return [address, path] as const;
    }),
    [config.admin.address, ['admin', 'address']],
  ];
  for (const [index, [text, path]] of places.entries()) {
    const address = parseHostPort(text);
    const clash = places.slice(0, index).find(([other]) => {
      const earlier = parseHostPort(other);
      return address !== null && earlier !== null && isSameListenAddress(address, earlier);
    });
    if (clash === undefined) continue;
    const [other, otherPath] = clash;
    report(path, `${text} clashes with ${formatPath(otherPath)} (${other})`, 'use another port');
  }
}

function checkServers(config: FileConfig, report: ReportProblem): void {
  const urls = new Uniqueness('the server', report);
  for (const [index, url] of config.servers.entries()) {
    urls.add(parseServerUrl(url) ?? url, ['servers', index]);
  }
  for (const [poolIndex, pool] of config.pools.entries()) {
    for (const [index, { url }] of (pool.endpoints ?? []).entries()) {
      urls.add(parseServerUrl(url) ?? url, ['pools', poolIndex, 'endpoints', index]);
    }
  }
}

function checkPool(pool: FilePool, path: ConfigPath, report: ReportProblem): void {
  if (pool.dns !== null) checkDns(pool.dns, [...path, 'dns'], report);
  const { tls } = pool;
  if (tls === null) return;
  if (tls.certFile !== null && tls.keyFile === null) {
    report([...path, 'tls', 'certFile'], 'a certificate needs its key', 'add "keyFile"');
  }
  if (tls.keyFile !== null && tls.certFile === null) {
    report([...path, 'tls', 'keyFile'], 'a key needs its certificate', 'add "certFile"');
  }
  if (pool.dns?.scheme === 'http') {
    report([...path, 'tls'], 'TLS is not used with http', 'set "scheme" of "dns" to "https"');
  }
  const plain = pool.endpoints?.find(({ url }) => /^http:/i.test(url));
  if (plain !== undefined) {
    const message = `TLS is not used with ${plain.url}`;
    report([...path, 'tls'], message, 'use https URLs or remove the key');
  }
}

function checkDns(
  dns: NonNullable<FilePool['dns']>,
  path: ConfigPath,
  report: ReportProblem,
): void {
  if (dns.type === 'SRV' && dns.port !== null) {
    report([...path, 'port'], 'SRV records carry their own port', 'remove the key');
  }
  if (dns.type !== 'SRV' && dns.port === null) {
    report(path, `a pool of ${dns.type} records needs "port"`, 'add the port of the servers');
  }
  checkOrder(dns, path, { keys: ['minTtlMs', 'maxTtlMs'], report });
}

function checkNames(config: FileConfig, report: ReportProblem): void {
  const pools = new Uniqueness('the name', report);
  for (const [index, { name }] of config.pools.entries()) pools.add(name, ['pools', index, 'name']);
  const models = new Uniqueness('the name', report);
  for (const [index, { name }] of config.models.entries()) {
    models.add(name, ['models', index, 'name']);
  }
  // After all names, so that the alias is what gets blamed.
  for (const [index, { aliases }] of config.models.entries()) {
    for (const [at, alias] of aliases.entries()) {
      models.add(alias, ['models', index, 'aliases', at]);
    }
  }
}

interface Scope {
  readonly path: ConfigPath;
  readonly report: ReportProblem;
}

function checkModel(config: FileConfig, model: FileModel, { path, report }: Scope): void {
  const { targets, tiers } = model;
  if (targets !== null) {
    checkTargets(config, { name: model.name, targets }, { path: [...path, 'targets'], report });
  }
  if (tiers === null) return;
  if (targets !== null) {
    report(
      [...path, 'tiers'],
      '"targets" and "tiers" exclude each other',
      'put "targets" into a tier',
    );
  }
  for (const [index, { targets: ofTier }] of tiers.entries()) {
    const at: ConfigPath = [...path, 'tiers', index, 'targets'];
    checkTargets(config, { name: model.name, targets: ofTier }, { path: at, report });
  }
}

/** Checks a list of targets at `path`. */
function checkTargets(
  config: FileConfig,
  { name: modelName, targets }: Pick<FileTier, 'targets'> & { readonly name: string },
  { path, report }: Scope,
): void {
  const pairs = new Uniqueness('the target', report);
  for (const [index, target] of targets.entries()) {
    const at: ConfigPath = [...path, index];
    const upstream = target.model ?? modelName;
    pairs.add(target.pool === null ? upstream : `${target.pool}/${upstream}`, at);
    if (target.pool === null) continue;
    const pool = config.pools.find(({ name }) => name === target.pool);
    if (pool === undefined) {
      report(
        [...at, 'pool'],
        `no pool is named ${quote(target.pool)}`,
        suggestPool(config, target.pool),
      );
    } else if (pool.models !== null && !pool.models.includes(upstream)) {
      const place: ConfigPath = target.model === null ? [...at, 'pool'] : [...at, 'model'];
      const message = `pool ${quote(pool.name)} does not serve ${quote(upstream)}`;
      report(place, message, suggestModel(pool.models, upstream));
    }
  }
  if (targets.every(({ weight }) => weight === 0)) {
    report(path, 'every target has weight 0', 'give one a weight above 0');
  }
}

function suggestPool(config: FileConfig, wanted: string): string {
  const names = config.pools.map(({ name }) => name);
  const near = findNearest(wanted, names);
  if (near !== null) return `did you mean ${quote(near)}?`;
  if (names.length > 0) return `pools are ${names.map(quote).join(', ')}`;
  return 'define it under "pools", or leave out "pool" to use every server that has the model';
}

function suggestModel(models: readonly string[], wanted: string): string {
  const near = findNearest(wanted, models);
  return near === null
    ? `it serves ${models.map(quote).join(', ')}`
    : `did you mean ${quote(near)}?`;
}

interface OrderRule<T> {
  readonly keys: readonly (keyof T & string)[];
  readonly report: ReportProblem;
}

/** Each of the keys must be at least the one before it. */
function checkOrder<T extends object>(values: T, path: ConfigPath, rule: OrderRule<T>): void {
  for (const [index, key] of rule.keys.slice(1).entries()) {
    const lowerKey = rule.keys[index];
    if (lowerKey === undefined) continue;
    const lower = Number(values[lowerKey]);
    const upper = Number(values[key]);
    if (upper < lower) {
      rule.report([...path, key], `must be at least ${lowerKey} (${lower}), is ${upper}`);
    }
  }
}
