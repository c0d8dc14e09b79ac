import { must } from '../../core/assert.ts';
import { createRng } from '../../core/rng.ts';
import type {
  EngineServerOptions,
  SimulatedDialect,
} from '../../simulator/server/engine-options.ts';
import type { FaultSettings } from '../../simulator/server/faults.ts';
import { createEngineServer, type EngineServer } from '../../simulator/server/server.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { parseHostPort } from '../config/address.ts';
import { readOneProfile } from '../profile-options.ts';
import type { ParsedOptions } from '../options.ts';
import { waitForStop } from '../stop-signal.ts';
import { createSystemClock } from '../system-clock.ts';

/** Any interval does: its timer only has to exist. */
const KEEP_ALIVE_MS = 60_000;

/** `penstock engine`: serves until a stop signal. */
export async function runEngine(options: ParsedOptions, context: CommandContext): Promise<number> {
  const listen = options.string('listen') ?? '';
  const address = parseHostPort(listen);
  if (address === null) {
    context.writeError(`penstock engine: --listen ${listen} is not host:port\n`);
    return EXIT_CODES.usage;
  }
  const based = await readOneProfile(options);
  if (!based.ok) {
    context.writeError(`penstock engine: ${based.error}\n`);
    return EXIT_CODES.usage;
  }
  let server: EngineServer;
  try {
    server = await createEngineServer({
      ...engineServerOptions(options),
      profile: must(based.value, 'a default of --profile').profile,
      ...address,
      clock: createSystemClock(),
      rng: createRng(options.number('seed') ?? 0),
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    context.writeError(`penstock engine: ${message}\n`);
    const isListen = cause instanceof Error && 'code' in cause && 'syscall' in cause;
    return isListen ? EXIT_CODES.listen : EXIT_CODES.usage;
  }
  const stop = waitForStop(context);
  context.writeOut(`Simulated model server on ${server.url}\n`);
  // While it refuses connections the server has no socket, and nothing else keeps the process.
  const keepAlive = setInterval(() => undefined, KEEP_ALIVE_MS);
  await stop;
  clearInterval(keepAlive);
  await server.close();
  return EXIT_CODES.ok;
}

/**
 * The server's settings from the parsed command line, its profile excepted; options not given are
 * left to the profile.
 */
export function engineServerOptions(options: ParsedOptions): EngineServerOptions {
  const texts = (flag: string): string | null => options.string(flag);
  const numbers = (flag: string): number | null => options.number(flag);
  return {
    models: options.list('model'),
    dialect: options.string('dialect') as SimulatedDialect,
    adapters: options.list('lora'),
    prefixCaching: options.boolean('prefix-caching'),
    ...given(texts, [['engineId', 'engine-id']]),
    ...given(numbers, [
      ['maxNumSeqs', 'max-num-seqs'],
      ['maxNumBatchedTokens', 'max-num-batched-tokens'],
      ['kvBlocks', 'kv-blocks'],
      ['blockSizeTokens', 'block-size'],
      ['maxModelLenTokens', 'max-model-len'],
      ['maxQueue', 'max-queue'],
      ['maxAdapters', 'max-loras'],
      ['maxCpuAdapters', 'max-cpu-loras'],
      ['adapterLoadMs', 'lora-load-ms'],
      ['seed', 'seed'],
      ['speed', 'speed'],
    ]),
    faults: faultSettings(options),
  };
}

function faultSettings(options: ParsedOptions): Partial<FaultSettings> {
  const numbers = (flag: string): number | null => options.number(flag);
  return {
    errorBody: options.string('fail-body'),
    ...given(numbers, [
      ['slowStartMs', 'startup-ms'],
      ['errorRate', 'fail-rate'],
      ['errorCount', 'fail-count'],
      ['errorStatus', 'fail-status'],
      ['latencyMs', 'latency-ms'],
      ['stallFirstByteMs', 'stall-first-byte-ms'],
      ['stallAfterChunks', 'stall-after'],
      ['stallMs', 'stall-ms'],
      ['cutAfterChunks', 'cut-after'],
      ['refuseMs', 'refuse-ms'],
    ]),
  };
}

/** The fields whose flags were given, as `read` reads them. */
function given<Field extends string, Value>(
  read: (flag: string) => Value | null,
  pairs: readonly (readonly [field: Field, flag: string])[],
): Partial<Record<Field, Value>> {
  const fields: Partial<Record<Field, Value>> = {};
  for (const [field, flag] of pairs) {
    const value = read(flag);
    if (value !== null) fields[field] = value;
  }
  return fields;
}
