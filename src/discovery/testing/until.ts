/**
 * Resolves once `condition` holds, looking every few milliseconds; rejects with `what` after 10 s,
 * so that a test that hangs says where.
 */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let look = 0; look < 2000; look += 1) {
    if (condition()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
  throw new Error(`never happened: ${what}`);
}
