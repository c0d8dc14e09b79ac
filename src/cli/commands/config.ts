import { EXIT_CODES, type CommandContext } from '../command.ts';
import { formatHostPort } from '../config/address.ts';
import type { PenstockConfig } from '../config/config.ts';
import { toJsonSchema } from '../config/json-schema.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { CONFIG_SCHEMA } from '../config/schema.ts';
import type { ParsedOptions } from '../options.ts';

/** `penstock config check FILE`: a summary on standard output, or the problems and exit code 2. */
export async function runConfigCheck(
  options: ParsedOptions,
  context: CommandContext,
): Promise<number> {
  const [file = ''] = options.operands;
  const loaded = await loadConfig(file);
  if (loaded.ok) {
    context.writeOut(`${file}: ok\n${summarise(loaded.value)}`);
    return EXIT_CODES.ok;
  }
  for (const problem of loaded.error) context.writeError(`${formatProblem(problem)}\n`);
  const count = loaded.error.length;
  context.writeError(`${file}: ${count} ${count === 1 ? 'problem' : 'problems'}\n`);
  return EXIT_CODES.usage;
}

/** `penstock config schema`: the JSON Schema on standard output. */
export function runConfigSchema(_options: ParsedOptions, context: CommandContext): Promise<number> {
  context.writeOut(`${JSON.stringify(toJsonSchema(CONFIG_SCHEMA), null, 2)}\n`);
  return Promise.resolve(EXIT_CODES.ok);
}

/** A few lines that tell what a configuration sets up. */
function summarise(config: PenstockConfig): string {
  const listeners = config.listeners.map(({ address, tls, isInternal }) => {
    const scheme = tls === null ? 'http' : 'https';
    return `${scheme}://${formatHostPort(address)}${isInternal ? ' (internal)' : ''}`;
  });
  const pools = config.pools.map(({ name, source }) => {
    if (source.kind === 'static') return `${name} (${count(source.endpoints.length, 'endpoint')})`;
    return source.kind === 'file' ? `${name} (${source.path})` : `${name} (DNS ${source.name})`;
  });
  const models = config.models.map(({ name, aliases, tiers }) => {
    const also = aliases.length === 0 ? '' : `, also ${aliases.join(', ')}`;
    return `${name} (${count(tiers.flatMap(({ targets }) => targets).length, 'target')}${also})`;
  });
  return [
    ['listeners', listeners],
    ['admin', [formatHostPort(config.admin.address)]],
    ['servers', config.servers],
    ['pools', pools],
    ['models', models],
  ]
    .map(([title, lines]) => formatLine(String(title), lines as readonly string[]))
    .join('');
}

function formatLine(title: string, values: readonly string[]): string {
  return `  ${title.padEnd(9)}  ${values.length === 0 ? 'none' : values.join('; ')}\n`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
