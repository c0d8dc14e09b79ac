import type { OptionDefinition, ParsedOptions } from './options.ts';

/** Signals that a command may react to. */
export type CommandSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

/** What a command may use of the process it runs in. */
export interface CommandContext {
  /** Version of this package. */
  readonly version: string;
  /** Writes to standard output as it is, without adding a line end. */
  readonly writeOut: (text: string) => void;
  /** Writes to standard error as it is, without adding a line end. */
  readonly writeError: (text: string) => void;
  /** Calls `handler` on every such signal, instead of ending the process, until the returned function is called. */
  readonly onSignal: (signal: CommandSignal, handler: () => void) => () => void;
}

/** Exit codes of every command; `docs/reference/cli.md` is compared with them by a test. */
export const EXIT_CODES: Readonly<
  Record<'ok' | 'failed' | 'usage' | 'listen' | 'drainTimeout', number>
> = Object.freeze({
  /** Done as asked. */
  ok: 0,
  /** Something went wrong that no other code describes. */
  failed: 1,
  /** Wrong use of the command line, or an invalid configuration. */
  usage: 2,
  /** A listener could not bind its address. */
  listen: 3,
  /** Stopped with requests still open after the drain time limit. */
  drainTimeout: 4,
});

/** Runs with parsed options and resolves to an exit code. */
export type RunCommand = (options: ParsedOptions, context: CommandContext) => Promise<number>;

/** One command of the program. */
export interface Command {
  /** One or two words, for example `config check`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Names of its operands, for example `FILE`; empty when it takes none. */
  readonly operands: readonly string[];
  readonly options: readonly OptionDefinition[];
  /** Further lines shown at the end of its help. */
  readonly examples: readonly string[];
  readonly run: RunCommand;
}
