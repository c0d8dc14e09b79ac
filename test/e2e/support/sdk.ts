import assert from 'node:assert/strict';
import type { TestGateway } from './gateway.ts';
import { waitUntil } from './gateway.ts';
import type { Visit } from './scripted-server.ts';

/** All items of a stream. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The error of this class that `promise` rejects with; fails when it does not. */
export async function rejectionOf<E extends Error>(
  errorClass: abstract new (...args: never[]) => E,
  promise: PromiseLike<unknown>,
): Promise<E> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof errorClass, String(error));
    return error;
  }
  return assert.fail('no error');
}

/** Tokens that the gateway has counted. */
export async function tokensOf(
  gateway: TestGateway,
): Promise<{ prompt: number; completion: number }> {
  const sum = (samples: ReadonlyMap<string, number>): number =>
    [...samples.values()].reduce((total, value) => total + value, 0);
  return {
    prompt: sum(await gateway.metric('penstock_prompt_tokens_total')),
    completion: sum(await gateway.metric('penstock_completion_tokens_total')),
  };
}

/**
 * Has a client abort a running stream a few times and checks that the endpoint hears of it at once.
 * `begin` starts the `index`-th stream and resolves when its first event is here.
 */
export async function checkAborts(
  gateway: TestGateway,
  begin: (index: number) => Promise<{ readonly visit: Visit; readonly abort: () => void }>,
): Promise<void> {
  const delaysMs: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    const { visit, abort } = await begin(index);
    assert.equal(visit.goneAtMs, null);
    const abortedAtMs = performance.now();
    abort();
    delaysMs.push((await visit.gone()) - abortedAtMs);
  }
  // One slow turn of a busy machine is no defect; that all five are slow is.
  assert.ok(Math.min(...delaysMs) < 50, `cancelled after ${delaysMs.join(', ')} ms`);
  await waitUntil('the ends of the requests', async () => {
    const decisions = await gateway.decisions();
    return decisions.every(({ outcome }) => outcome === 'client_closed');
  });
}
