import type { Command } from './command.ts';
import type { OptionDefinition } from './options.ts';

const WIDTH = 80;
const TEXT_COLUMN = 10;

/** Help of the whole program. */
export function renderProgramHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'Penstock: an inference gateway in front of your model servers.',
    '',
    'Usage: penstock COMMAND [OPTIONS]',
    '',
    'Commands:',
    ...lines,
    '',
    'Options:',
    '  --help     Show this help; after a command, that command’s.',
    '  --version  Show the version.',
    '',
  ].join('\n');
}

/** Help of one command, from its option table. */
export function renderCommandHelp(command: Command): string {
  const { name, summary, operands, options, examples } = command;
  const usage = ['penstock', name, ...operands, ...(options.length > 0 ? ['[OPTIONS]'] : [])];
  return [
    `Usage: ${usage.join(' ')}`,
    '',
    ...wrap(summary, 0),
    '',
    'Options:',
    ...options.flatMap(renderOption),
    '  -h, --help',
    `${' '.repeat(TEXT_COLUMN)}Show this help.`,
    ...(options.some(({ env }) => env !== null)
      ? ['', 'A flag wins over the environment variable in brackets; that wins over a file.']
      : []),
    ...(examples.length > 0 ? ['', 'Examples:', ...examples.map((line) => `  ${line}`)] : []),
    '',
  ].join('\n');
}

/** How a flag is written with its value, for example `--listen HOST:PORT`. */
export function formatFlag(option: OptionDefinition): string {
  const { flag, kind, bareValue, default: value } = option;
  if (kind === 'boolean') return value === true ? `--no-${flag}` : `--${flag}`;
  const placeholder = placeholderOf(option);
  return bareValue === undefined ? `--${flag} ${placeholder}` : `--${flag} [${placeholder}]`;
}

/** A default as the user would write it; null when there is none. */
export function formatDefault(option: OptionDefinition): string | null {
  const { default: value, unit } = option;
  if (value === null || (Array.isArray(value) && value.length === 0)) return null;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return unit === null ? text : `${text} ${unit}`;
}

function placeholderOf({ placeholder, choices, kind }: OptionDefinition): string {
  if (placeholder !== undefined) return placeholder;
  if (choices !== undefined) return choices.join('|');
  return kind === 'integer' || kind === 'number' ? 'NUMBER' : 'TEXT';
}

function renderOption(option: OptionDefinition): readonly string[] {
  const env = option.env === null ? '' : ` [${option.env}]`;
  return [`  ${formatFlag(option)}${env}`, ...wrap(describe(option), TEXT_COLUMN)];
}

function describe(option: OptionDefinition): string {
  const { help, kind, bareValue } = option;
  const value = kind === 'boolean' ? null : formatDefault(option);
  const parts = [
    help,
    kind === 'boolean' && option.default === true ? 'On unless this flag is given.' : null,
    kind === 'list' ? 'May be repeated.' : null,
    bareValue === undefined ? null : `${bareValue} when no number is given.`,
    value === null ? null : `Default: ${value}.`,
  ];
  return parts.filter((part) => part !== null).join(' ');
}

function wrap(text: string, indent: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}`);
}
