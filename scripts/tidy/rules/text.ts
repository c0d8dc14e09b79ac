import type { Finding, Rule } from '../finding.ts';
import type { SourceText } from '../project.ts';

// Spelled so that this file passes its own rule.
const MARKS = /\b(TO[D]O|FIX[M]E|HAC[K]|XX[X])\b/;

/** Folders that exist on one machine only: home folders, and a checkout given by absolute path. */
const MACHINE_PATH = /(?:^|[\s"'`(=:])\/(?:home|Users|root|work)\/[\w.-]+\//;

/** Work that is left over goes into an issue, not into a comment. */
export const marks: Rule = {
  name: 'mark',
  wayOut: 'do it now, or file an issue and delete the mark',
  check: (project) =>
    project.texts
      .filter((text) => /\.(ts|mjs|js|sh)$/.test(text.path))
      .flatMap((text) => matchesOf(text, MARKS)),
};

/** Nothing in the repository depends on where it was written. */
export const machinePaths: Rule = {
  name: 'machine-path',
  wayOut: 'use a relative path, a temporary folder, or a placeholder',
  check: (project) => project.texts.flatMap((text) => matchesOf(text, MACHINE_PATH)),
};

function matchesOf(text: SourceText, pattern: RegExp): Finding[] {
  return text.text.split('\n').flatMap((line, index) => {
    const match = pattern.exec(line);
    if (match === null) return [];
    return [{ file: text.path, line: index + 1, message: `contains ${match[0].trim()}` }];
  });
}
