import type { Violation } from './finding.ts';

/** By rule and file: how much a file may be over that rule, as the sum of its findings' weights. */
export type Ratchet = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What is left after the exceptions, and the ratchet that would still be needed. */
export interface RatchetResult {
  readonly violations: readonly Violation[];
  /** Entries that grant more than is needed, as sentences. */
  readonly slack: readonly string[];
  readonly tightened: Ratchet;
}

/**
 * Takes excused violations out. An entry excuses a file as long as its total is not above the
 * entry; one more line over budget and all its findings are shown. An entry above the total is
 * slack: the ratchet must follow the code down.
 */
export function applyRatchet(violations: readonly Violation[], ratchet: Ratchet): RatchetResult {
  const totals = new Map<string, number>();
  for (const violation of violations) {
    if (violation.isHard) continue;
    const key = keyOf(violation.rule, violation.file);
    totals.set(key, (totals.get(key) ?? 0) + (violation.weight ?? 1));
  }
  const slack: string[] = [];
  const tightened: Record<string, Record<string, number>> = {};
  const excused = new Set<string>();
  for (const [rule, files] of Object.entries(ratchet)) {
    for (const [file, allowed] of Object.entries(files)) {
      const total = totals.get(keyOf(rule, file)) ?? 0;
      if (total <= allowed) excused.add(keyOf(rule, file));
      if (total < allowed) slack.push(`${rule} of ${file}: ${allowed} allowed, ${total} needed`);
      const kept = Math.min(total, allowed);
      if (kept > 0) tightened[rule] = { ...tightened[rule], [file]: kept };
    }
  }
  const left = violations.filter(
    ({ rule, file, isHard }) => isHard === true || !excused.has(keyOf(rule, file)),
  );
  return { violations: left, slack, tightened };
}

function keyOf(rule: string, file: string): string {
  return `${rule}\n${file}`;
}
