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
  /** Whether standard error is a terminal, on which a line can be drawn anew; not when left out. */
  readonly isErrorTerminal?: boolean;
  /**
   * Calls `handler` on every such signal, in place of what the signal does by itself, until the
   * returned function is called.
   */
  readonly onSignal: (signal: CommandSignal, handler: () => void) => () => void;
}

/** Why a command ended. */
export type ExitReason = 'ok' | 'failed' | 'usage' | 'listen' | 'drainTimeout' | 'interrupted';

/** Exit codes of every command. */
export const EXIT_CODES: Readonly<Record<ExitReason, number>> = Object.freeze({
  ok: 0,
  failed: 1,
  usage: 2,
  listen: 3,
  drainTimeout: 4,
  interrupted: 130,
});

/** What each exit code means, for the reference page. */
export const EXIT_CODE_NOTES: Readonly<Record<ExitReason, string>> = Object.freeze({
  ok: 'Done as asked; for `up`, stopped by a signal with every request finished.',
  failed: 'Something went wrong that no other code describes; standard error says what.',
  usage: 'Wrong use of the command line, or a configuration that is not valid.',
  listen: 'A listener could not bind its address.',
  drainTimeout: 'Stopped by a signal, but the drain time ended before every request did.',
  interrupted: 'A simulation was stopped by a signal; what it had until then was printed.',
});

/** Runs with parsed options and resolves to an exit code. */
export type RunCommand = (options: ParsedOptions, context: CommandContext) => Promise<number>;

/** One command of the program. */
export interface Command {
  /** One or two words, for example `config check`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /**
   * Names of its operands, for example `FILE`, in brackets when it may be left out; empty for none.
   */
  readonly operands: readonly string[];
  readonly options: readonly OptionDefinition[];
  /** Further lines shown at the end of its help. */
  readonly examples: readonly string[];
  readonly run: RunCommand;
}
