import { randomInt } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { createRng } from '../../core/rng.ts';
import type { FailureSink } from '../../core/spawn.ts';
import { spawn } from '../../core/spawn.ts';
import type { EngineServer } from '../../simulator/server/server.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { EXIT_CODES, type CommandContext } from '../command.ts';
import { loadUpConfig, mergeServers } from '../config/overrides.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type ConfigProblem, formatProblem } from '../config/problem.ts';
import { FileWatcher, WATCH_TIMES, watchedFiles } from '../config/watch.ts';
import { renderDemoGuide, startDemoServers } from '../demo.ts';
import type { ParsedOptions } from '../options.ts';
import { Service } from '../service.ts';
import { createSystemClock } from '../system-clock.ts';

const SEED_BOUND = 2 ** 32;

/** `penstock up`: serves until a stop signal, then drains. */
export async function runUp(options: ParsedOptions, context: CommandContext): Promise<number> {
  const first = await loadUpConfig(options);
  if (!first.ok) return refuseConfig(first.error, context);

  const clock = createSystemClock();
  const rng = createRng(randomInt(SEED_BOUND));
  const log = createLogger({ ...first.value.logging, destination: 'stdout', clock });
  const onFailure: FailureSink = (name, cause) => {
    log.error({ task: name, err: cause }, 'background task failed');
  };

  const demoCount = options.number('demo') ?? 0;
  const demo = await startDemoServers(demoCount, { clock, rng });
  const withDemo = (loaded: LoadedConfig): LoadedConfig =>
    loaded.ok
      ? {
          ok: true,
          value: mergeServers(
            loaded.value,
            demo.map(({ url }) => url),
          ),
        }
      : loaded;
  const load = async (): Promise<LoadedConfig> => withDemo(await loadUpConfig(options));
  const config = mergeServers(
    first.value,
    demo.map(({ url }) => url),
  );
  const service = new Service({
    config,
    load,
    clock,
    rng,
    log,
    onFailure,
    version: context.version,
  });

  const stop = waitForStop(context);
  try {
    await service.start();
  } catch (cause) {
    await service.drain();
    await closeDemo(demo);
    return refuseListen(cause, context);
  }
  const watcher = await watchConfig(options, { service, clock, onFailure, context });
  if (demoCount > 0) context.writeOut(renderDemoGuide(service.urls[0] ?? '', service.adminUrl));
  log.info({ listeners: service.urls, admin: service.adminUrl }, 'serving');

  await stop;
  await watcher.close();
  const broken = await service.drain();
  await closeDemo(demo);
  log.flush();
  return broken === 0 ? EXIT_CODES.ok : EXIT_CODES.drainTimeout;
}

function refuseConfig(problems: readonly ConfigProblem[], context: CommandContext): number {
  for (const problem of problems) context.writeError(`${formatProblem(problem)}\n`);
  return EXIT_CODES.usage;
}

function refuseListen(cause: unknown, context: CommandContext): number {
  const message = cause instanceof Error ? cause.message : String(cause);
  context.writeError(`penstock up: ${message}\n`);
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) {
    return EXIT_CODES.listen;
  }
  context.writeError(
    'Another program uses this address; choose others with --listen and --admin.\n',
  );
  return EXIT_CODES.listen;
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
async function waitForStop(context: CommandContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    context.onSignal(signal, () => {
      resolve();
    }),
  );
  await promise;
  for (const remove of removers) remove();
}

interface WatchParts {
  readonly service: Service;
  readonly clock: Clock;
  readonly onFailure: FailureSink;
  readonly context: CommandContext;
}

/** Reloads on SIGHUP and, unless told not to, when a file of the configuration changes. */
async function watchConfig(
  options: ParsedOptions,
  { service, clock, onFailure, context }: WatchParts,
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

async function closeDemo(demo: readonly EngineServer[]): Promise<void> {
  await Promise.all(demo.map((server) => server.close()));
}
