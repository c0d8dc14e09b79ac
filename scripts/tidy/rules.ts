import type { Rule } from './finding.ts';
import { ambient, environment, noConsole, pureImports } from './rules/ambient.ts';
import { docstrings, moduleReadmes } from './rules/documentation.ts';
import { cycles, deadFiles, dependencies } from './rules/graph.ts';
import { knownModules, ranks, shippedOnly } from './rules/ranks.ts';
import { bareErrors, barrels, defaultExports, nonNull, vagueNames } from './rules/shape.ts';
import { columns, fileLines, functionLines, parameters } from './rules/sizes.ts';
import { machinePaths, marks } from './rules/text.ts';

/** Every rule of the house, in the order of STYLE.md. */
export const RULES: readonly Rule[] = Object.freeze([
  ranks,
  knownModules,
  shippedOnly,
  pureImports,
  ambient,
  environment,
  noConsole,
  cycles,
  deadFiles,
  dependencies,
  fileLines,
  functionLines,
  parameters,
  columns,
  barrels,
  defaultExports,
  vagueNames,
  bareErrors,
  nonNull,
  docstrings,
  moduleReadmes,
  marks,
  machinePaths,
]);
