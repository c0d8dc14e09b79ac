import { findNearest } from '../../core/nearest.ts';
import { isRecord } from '../framework/options.ts';

/** Why a document cannot be honoured. */
export interface ImportProblem {
  /** Where in the document, as `plugins[2].parameters`; empty for the document as a whole. */
  readonly path: string;
  /** What is wrong and the way out. */
  readonly message: string;
}

/** One line for people. */
export function formatImportProblem({ path, message }: ImportProblem): string {
  return path === '' ? message : `${path}: ${message}`;
}

/** Collects problems and notes while a document is read. */
export class ImportReport {
  readonly problems: ImportProblem[] = [];
  /** What was accepted and means nothing here, with the reason. */
  readonly notes: string[] = [];

  fail(path: string, message: string): void {
    this.problems.push({ path, message });
  }

  note(path: string, message: string): void {
    this.notes.push(formatImportProblem({ path, message }));
  }

  /** A mapping, or an empty one with a problem; null and nothing count as empty. */
  mapping(path: string, value: unknown): Readonly<Record<string, unknown>> {
    if (value === undefined || value === null) return {};
    if (isRecord(value)) return value;
    this.fail(path, 'must be a mapping');
    return {};
  }

  /** A list, or an empty one with a problem; null and nothing count as empty. */
  list(path: string, value: unknown): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.fail(path, 'must be a list');
    return [];
  }

  /** Text that is not empty, or null with a problem when it must be given or is something else. */
  text(path: string, value: unknown, rule: 'required' | 'optional'): string | null {
    if (typeof value === 'string' && value !== '') return value;
    const isAbsent = value === undefined || value === null || value === '';
    if (isAbsent && rule === 'optional') return null;
    this.fail(path, isAbsent ? 'is missing' : 'must be text');
    return null;
  }

  /** Reports every key that is none of `known`. */
  checkKeys(
    path: string,
    value: Readonly<Record<string, unknown>>,
    known: readonly string[],
  ): void {
    for (const key of Object.keys(value)) {
      if (known.includes(key)) continue;
      const nearest = findNearest(key, known);
      const hint =
        nearest === null ? `known keys are ${known.join(', ')}` : `did you mean "${nearest}"?`;
      this.fail(path === '' ? key : `${path}.${key}`, `is unknown; ${hint}`);
    }
  }
}
