import { randomBytes, randomInt } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { succeed } from '../../core/result.ts';
import { createPromptKey, PROMPT_KEY_BYTES } from '../../protocol/wasm/prompt-key.ts';
import { createRng } from '../../core/rng.ts';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import { FileWatcher, WATCH_TIMES } from '../../discovery/file-watcher.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { loadUpConfig, mergeServers } from '../config/overrides.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { watchedFiles } from '../config/watched-files.ts';
import { renderDemoGuide, startDemoServers } from '../demo.ts';
import { LogOutput } from '../log-output.ts';
import type { ParsedOptions } from '../options.ts';
import { RecordingRefused, Service } from '../service.ts';
import { waitForStop } from '../stop-signal.ts';
import { createSystemClock } from '../system-clock.ts';

const SEED_BOUND = 2 ** 32;

/** `penstock up`: serves until a stop signal, then drains. */
export async function runUp(options: ParsedOptions, context: CommandContext): Promise<number> {
  const first = await loadUpConfig(options);
  if (!first.ok) return refuseConfig(first.error, context);

  const clock = createSystemClock();
  const rng = createRng(randomInt(SEED_BOUND));
  const output = new LogOutput(process.stdout);
  const log = createLogger({ ...first.value.logging, destination: output, clock });
  const onFailure: FailureSink = (name, cause) => {
    log.error({ task: name, err: cause }, 'background task failed');
  };
  const demo = await startDemoServers(options.number('demo') ?? 0, { clock, rng });
  const demoUrls = demo.map(({ url }) => url);
  const service = new Service({
    config: mergeServers(first.value, demoUrls),
    load: async () => {
      const loaded = await loadUpConfig(options);
      return loaded.ok ? succeed(mergeServers(loaded.value, demoUrls)) : loaded;
    },
    clock,
    rng,
    promptKey: createPromptKey(randomBytes(PROMPT_KEY_BYTES)),
    log,
    onFailure,
    version: context.version,
  });
  try {
    return await serve(service, options, { clock, log, onFailure, context });
  } finally {
    await Promise.all(demo.map((server) => server.close()));
    await output.close();
  }
}

interface ServeParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly onFailure: FailureSink;
  readonly context: CommandContext;
}

async function serve(service: Service, options: ParsedOptions, parts: ServeParts): Promise<number> {
  const { log, context } = parts;
  const stop = waitForStop(context);
  try {
    await service.start();
  } catch (cause) {
    await service.drain();
    return refuseStart(cause, context);
  }
  const watcher = await watchConfig(service, options, parts);
  if (options.isGiven('demo')) {
    context.writeOut(renderDemoGuide(service.urls[0] ?? '', service.adminUrl));
  }
  log.info({ listeners: service.urls, admin: service.adminUrl }, 'serving');

  await stop;
  await watcher.close();
  const brokenCount = await service.drain();
  return brokenCount === 0 ? EXIT_CODES.ok : EXIT_CODES.drainTimeout;
}

function refuseConfig(problems: readonly ConfigProblem[], context: CommandContext): number {
  for (const problem of problems) context.writeError(`${formatProblem(problem)}\n`);
  return EXIT_CODES.usage;
}

function refuseStart(cause: unknown, context: CommandContext): number {
  const message = cause instanceof Error ? cause.message : String(cause);
  context.writeError(`penstock up: ${message}\n`);
  if (cause instanceof RecordingRefused) return EXIT_CODES.failed;
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) {
    return EXIT_CODES.listen;
  }
  context.writeError(
    'Another program uses this address; choose others with --listen and --admin.\n',
  );
  return EXIT_CODES.listen;
}

/** Reloads on SIGHUP and, unless told not to, when a file of the configuration changes. */
async function watchConfig(
  service: Service,
  options: ParsedOptions,
  { clock, onFailure, context }: ServeParts,
): Promise<{ close(): Promise<void> }> {
  const watcher = new FileWatcher(
    () => {
      spawn('reload', reload(), onFailure);
    },
    { ...WATCH_TIMES, clock, onFailure },
  );
  const isWatching = options.boolean('watch');
  const reload = async (): Promise<void> => {
    const { ok } = await service.reload();
    if (ok && isWatching) await watcher.watch(watchedFiles(service.config));
  };
  if (isWatching) await watcher.watch(watchedFiles(service.config));
  const removeHangup = context.onSignal('SIGHUP', () => {
    spawn('reload', reload(), onFailure);
  });
  return {
    close: async () => {
      removeHangup();
      await watcher.close();
    },
  };
}
