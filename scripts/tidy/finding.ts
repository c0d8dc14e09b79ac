import type { Project } from './project.ts';

/** One place that breaks a rule. */
export interface Finding {
  readonly file: string;
  /** 1-based; 1 when the finding is about the file as a whole. */
  readonly line: number;
  readonly message: string;
  /** How far over the budget, in the rule's unit (1 where there is none); the ratchet's unit. */
  readonly weight?: number;
  /** Over a limit for which the ratchet grants no exception. */
  readonly isHard?: boolean;
}

/** One rule of the house. */
export interface Rule {
  readonly name: string;
  /** What to do about a finding, in one sentence. */
  readonly wayOut: string;
  check(project: Project): readonly Finding[];
}

/** A finding together with the rule it breaks. */
export interface Violation extends Finding {
  readonly rule: string;
  readonly wayOut: string;
}

/** Runs `rules` over `project`, sorted by file and line. */
export function checkProject(project: Project, rules: readonly Rule[]): readonly Violation[] {
  const violations = rules.flatMap((rule) =>
    rule.check(project).map((finding) => ({ ...finding, rule: rule.name, wayOut: rule.wayOut })),
  );
  return violations.sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}
