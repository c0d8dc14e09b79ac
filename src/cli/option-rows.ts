import type { OptionDefinition } from './options.ts';

/** A row for a text without a default. */
export function textRow(flag: string, placeholder: string, help: string): OptionDefinition {
  return { flag, env: null, kind: 'string', default: null, unit: null, help, placeholder };
}

/** A row for a whole number; a null default is left to the command. */
export function integerRow(
  flag: string,
  help: string,
  bounds: { readonly default: number | null; readonly min: number; readonly max: number },
): OptionDefinition {
  return { flag, env: null, kind: 'integer', unit: null, help, ...bounds };
}

/** A row that may be repeated; empty by default. */
export function listRow(flag: string, placeholder: string, help: string): OptionDefinition {
  return { flag, env: null, kind: 'list', default: [], unit: null, help, placeholder };
}
