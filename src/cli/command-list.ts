import { ENGINE_OPTIONS } from '../simulator/server/options.ts';
import type { Command } from './command.ts';
import { EXPLAIN_OPTIONS } from './explain-options.ts';
import { UP_OPTIONS } from './up-options.ts';

/**
 * Every command. What a command runs is imported only when it runs, so that `config check` does not
 * load the gateway.
 */
export const COMMANDS: readonly Command[] = Object.freeze([
  {
    name: 'up',
    summary: 'Run the gateway in front of model servers.',
    operands: [],
    options: UP_OPTIONS,
    examples: [
      'penstock up --server http://a:8000 --server http://b:11434',
      'penstock up --config penstock.yaml',
      'penstock up --demo',
    ],
    run: async (options, context) => {
      const { runUp } = await import('./commands/up.ts');
      return runUp(options, context);
    },
  },
  {
    name: 'engine',
    summary: 'Run a simulated model server.',
    operands: [],
    options: ENGINE_OPTIONS,
    examples: [],
    run: async (options, context) => {
      const { runEngine } = await import('./commands/engine.ts');
      return runEngine(options, context);
    },
  },
  {
    name: 'explain',
    summary: 'Say why a request went where it went, or where one would go.',
    operands: ['[REQUEST-ID]'],
    options: EXPLAIN_OPTIONS,
    examples: [
      'penstock explain req-abc-1',
      'penstock explain --dry-run request.json',
      'penstock explain --shadow',
    ],
    run: async (options, context) => {
      const { runExplain } = await import('./commands/explain.ts');
      return runExplain(options, context);
    },
  },
  {
    name: 'config check',
    summary: 'Check a configuration file and say what it sets up.',
    operands: ['FILE'],
    options: [],
    examples: ['penstock config check penstock.yaml'],
    run: async (options, context) => {
      const { runConfigCheck } = await import('./commands/config.ts');
      return runConfigCheck(options, context);
    },
  },
  {
    name: 'config schema',
    summary: 'Print the JSON Schema of the configuration file.',
    operands: [],
    options: [],
    examples: ['penstock config schema > penstock.schema.json'],
    run: async (options, context) => {
      const { runConfigSchema } = await import('./commands/config.ts');
      return runConfigSchema(options, context);
    },
  },
] satisfies Command[]);
