/**
 * The member of `known` with the smallest edit distance to `word` (Levenshtein, case ignored), or
 * null when none is closer than half of the longer word. For suggestions in error messages.
 */
export function findNearest(word: string, known: Iterable<string>): string | null {
  const wanted = word.toLowerCase();
  let nearest: string | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const limit = Math.max(word.length, candidate.length) / 2;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= limit && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/**
 * Insertions, deletions and substitutions between `a` and `b`; two rows of Wagner and Fischer's
 * table.
 */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution =
        (previous[column - 1] as number) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const deletion = (previous[column] as number) + 1;
      const insertion = (current[column - 1] as number) + 1;
      current.push(Math.min(substitution, deletion, insertion));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
