import type { CommandContext } from './command.ts';

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export async function waitForStop(context: CommandContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    context.onSignal(signal, () => {
      resolve();
    }),
  );
  await promise;
  for (const remove of removers) remove();
}
