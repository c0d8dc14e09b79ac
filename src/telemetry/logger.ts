import { pino } from 'pino';
import type { Logger as PinoLogger } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { LogLevel } from './log-level.ts';
import { createRedactor, LOG_REDACTION } from './redaction.ts';

/** Structured facts of one line. Credentials and prompts are taken out, whoever put them in. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes structured lines. Implementations never throw and never wait. */
export interface Logger {
  /** Guard for debug lines whose fields cost something to gather. */
  readonly isDebug: boolean;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A logger that adds `bindings` to every line; level and sampling stay shared. */
  child(bindings: LogFields): Logger;
  /** Whether the request log takes this request: true for the configured share of calls. */
  sampleRequest(): boolean;
}

/** The logger of the process, whose settings a reload may change. */
export interface RootLogger extends Logger {
  /** Applies to all children at once. */
  configure(settings: LogSettings): void;
}

/** What a reload may change. */
export interface LogSettings {
  /** Lines below this level are dropped. */
  readonly level: LogLevel;
  /** Share of requests that are logged, 0 to 1; failures are logged by their own callers. */
  readonly sampleRequests: number;
}

/** Where lines go, each a JSON object with a line feed. It must take them at once, or drop them. */
export interface LogDestination {
  write(line: string): void;
}

/** How a logger is made. */
export interface LoggerOptions extends LogSettings {
  readonly destination: LogDestination;
  /** Time stamps of lines. */
  readonly clock: Clock;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = Object.freeze({
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  off: 100,
});

/** Level and sampling, shared by a logger and all its children. */
class LogGate {
  #severity = 0;
  #share = 0;
  #owed = 0;

  constructor(settings: LogSettings) {
    this.configure(settings);
  }

  configure(settings: LogSettings): void {
    this.#severity = SEVERITY[settings.level];
    this.#share = Math.min(1, Math.max(0, settings.sampleRequests));
  }

  isOpen(severity: number): boolean {
    return severity >= this.#severity;
  }

  /**
   * Spreads the share evenly (every tenth call for 0.1): exact over time and needs no randomness.
   */
  sample(): boolean {
    this.#owed += this.#share;
    if (this.#owed < 1) return false;
    this.#owed -= 1;
    return true;
  }
}

/** Fields as they may be written. */
type Redact = (fields: LogFields) => Record<string, unknown>;

class GatedLogger implements Logger {
  readonly #pino: PinoLogger;
  readonly #gate: LogGate;
  readonly #redact: Redact;

  constructor(inner: PinoLogger, gate: LogGate, redactFields: Redact) {
    this.#pino = inner;
    this.#gate = gate;
    this.#redact = redactFields;
  }

  get isDebug(): boolean {
    return this.#gate.isOpen(SEVERITY.debug);
  }

  debug(fields: LogFields, message: string): void {
    if (this.#gate.isOpen(SEVERITY.debug)) this.#pino.debug(fields, message);
  }

  info(fields: LogFields, message: string): void {
    if (this.#gate.isOpen(SEVERITY.info)) this.#pino.info(fields, message);
  }

  warn(fields: LogFields, message: string): void {
    if (this.#gate.isOpen(SEVERITY.warn)) this.#pino.warn(fields, message);
  }

  error(fields: LogFields, message: string): void {
    if (this.#gate.isOpen(SEVERITY.error)) this.#pino.error(fields, message);
  }

  child(bindings: LogFields): Logger {
    return new GatedLogger(this.#pino.child(this.#redact(bindings)), this.#gate, this.#redact);
  }

  sampleRequest(): boolean {
    return this.#gate.isOpen(SEVERITY.info) ? this.#gate.sample() : false;
  }
}

interface LoggerParts {
  readonly root: PinoLogger;
  readonly gate: LogGate;
  readonly redactFields: Redact;
}

class ProcessLogger extends GatedLogger implements RootLogger {
  readonly #root: PinoLogger;
  readonly #rootGate: LogGate;

  constructor(parts: LoggerParts) {
    super(parts.root, parts.gate, parts.redactFields);
    this.#root = parts.root;
    this.#rootGate = parts.gate;
  }

  configure(settings: LogSettings): void {
    this.#rootGate.configure(settings);
    // Not `level`, which is the line's own.
    this.#root.debug({ threshold: settings.level }, 'log settings changed');
  }
}

/** JSON lines `{level, time, …fields, msg}` through pino. */
export function createLogger(options: LoggerOptions): RootLogger {
  const { clock, destination } = options;
  const redactFields = createRedactor(LOG_REDACTION) as Redact;
  const root = pino(
    {
      // The gate decides, so that a reload reaches loggers that were made before it.
      level: 'debug',
      base: null,
      timestamp: () => `,"time":"${new Date(clock.wallMs()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
    },
    destination,
  );
  return new ProcessLogger({ root, gate: new LogGate(options), redactFields });
}

/** Drops everything; for tests and for parts that are used without a log. */
export const SILENT_LOGGER: Logger = Object.freeze({
  isDebug: false,
  debug: drop,
  info: drop,
  warn: drop,
  error: drop,
  child: (): Logger => SILENT_LOGGER,
  sampleRequest: (): boolean => false,
});

function drop(): void {}
