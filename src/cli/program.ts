import { findNearest } from '../core/nearest.ts';
import { EXIT_CODES, type Command, type CommandContext } from './command.ts';
import { renderCommandHelp, renderProgramHelp } from './help.ts';
import { parseOptions, type OptionInput } from './parse-options.ts';

/**
 * Runs one command line and resolves to the exit code. Mistakes of the user and failures of the
 * command are written to standard error; it never rejects.
 */
export async function runProgram(
  commands: readonly Command[],
  input: OptionInput,
  context: CommandContext,
): Promise<number> {
  const [first] = input.args;
  if (first === '--version' || first === '-V') {
    context.writeOut(`penstock ${context.version}\n`);
    return EXIT_CODES.ok;
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    context.writeOut(renderProgramHelp(commands));
    return EXIT_CODES.ok;
  }
  if (first === undefined) {
    context.writeError(renderProgramHelp(commands));
    return EXIT_CODES.usage;
  }
  const command = findCommand(commands, input.args);
  if (command !== null) return runCommand(command, input, context);
  const wayOut = 'penstock --help';
  return refuse(context, { who: 'penstock', what: explainUnknown(commands, input.args), wayOut });
}

/** The command whose one or two words begin the arguments. */
function findCommand(commands: readonly Command[], args: readonly string[]): Command | null {
  const byLength = [...commands].sort((left, right) => right.name.length - left.name.length);
  return (
    byLength.find(({ name }) => name.split(' ').every((word, index) => args[index] === word)) ??
    null
  );
}

function explainUnknown(commands: readonly Command[], args: readonly string[]): string {
  const [first = '', second] = args;
  if (first.startsWith('-')) return `${first} must come after a command`;
  const below = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (below.length > 0) {
    const names = below.map(({ name }) => name).join(', ');
    return `${first} needs one of: ${names}`;
  }
  const wanted = second === undefined ? [first] : [first, `${first} ${second}`];
  const names = commands.map(({ name }) => name);
  const near = wanted.map((word) => findNearest(word, names)).find((name) => name !== null);
  const suggestion = near === undefined ? '' : `; did you mean ${near}?`;
  return `unknown command ${first}${suggestion}`;
}

async function runCommand(
  command: Command,
  input: OptionInput,
  context: CommandContext,
): Promise<number> {
  const args = input.args.slice(command.name.split(' ').length);
  const parsed = parseOptions(command.options, { args, env: input.env });
  const who = `penstock ${command.name}`;
  const wayOut = `${who} --help`;
  if (!parsed.ok) return refuse(context, { who, what: parsed.error, wayOut });
  if (parsed.value.kind === 'help') {
    context.writeOut(renderCommandHelp(command));
    return EXIT_CODES.ok;
  }
  const { options } = parsed.value;
  const mistake = checkOperands(command.operands, options.operands);
  if (mistake !== null) return refuse(context, { who, what: mistake, wayOut });
  try {
    return await command.run(options, context);
  } catch (cause) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    context.writeError(`${who}: ${reason}\n`);
    return EXIT_CODES.failed;
  }
}

/** Names in brackets may be left out. */
function checkOperands(wanted: readonly string[], given: readonly string[]): string | null {
  const extra = given[wanted.length];
  if (extra !== undefined) return `unexpected argument ${extra}`;
  const missing = wanted[given.length];
  return missing === undefined || missing.startsWith('[') ? null : `${missing} is missing`;
}

interface Refusal {
  readonly who: string;
  readonly what: string;
  readonly wayOut: string;
}

function refuse(context: CommandContext, { who, what, wayOut }: Refusal): number {
  context.writeError(`${who}: ${what}\nRun "${wayOut}" for how to use it.\n`);
  return EXIT_CODES.usage;
}
