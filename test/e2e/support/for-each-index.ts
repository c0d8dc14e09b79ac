const AT_ONCE = 16;

/** Runs `run` for 0 to count - 1, a few at a time. */
export async function forEachIndex(
  count: number,
  run: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await run(next - 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
