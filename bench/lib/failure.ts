/**
 * The bench itself could not do its work (a server did not start, requests failed): no figure can
 * be given. Distinct from a figure that misses its target, which is a normal result.
 */
export class BenchFailure extends Error {
  override readonly name = 'BenchFailure';
}
