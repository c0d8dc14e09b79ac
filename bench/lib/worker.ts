import { once } from 'node:events';
import { Child, type ChildOptions } from './child.ts';
import { BenchFailure } from './failure.ts';

/** What a worker process can be asked: parameters and result by command name. */
export type CommandTable = Record<string, { readonly params: unknown; readonly result: unknown }>;

interface CommandMessage {
  readonly id: number;
  readonly command: string;
  readonly params: unknown;
}

interface AnswerMessage {
  readonly id: number;
  readonly result?: unknown;
  readonly failure?: string;
}

/** A part of the load (upstream or client) that runs in its own Node process. */
export class Worker<Commands extends CommandTable> {
  readonly #child: Child;
  readonly #waiting = new Map<number, (answer: AnswerMessage) => void>();
  #nextId = 0;

  constructor(file: URL, options: Omit<ChildOptions, 'channel'>) {
    const command = [process.execPath, file.pathname];
    this.#child = new Child(command, { ...options, channel: 'ipc' });
    this.#child.process.on('message', (message) => {
      const answer = message as unknown as AnswerMessage;
      this.#waiting.get(answer.id)?.(answer);
    });
    this.#child.process.once('exit', () => {
      for (const [id, settle] of this.#waiting) settle({ id, failure: 'process ended' });
    });
  }

  /** Runs one command in the worker and waits for its result, at most `timeoutMs`. */
  async call<Name extends keyof Commands & string>(
    command: Name,
    params: Commands[Name]['params'],
    timeoutMs = 10_000,
  ): Promise<Commands[Name]['result']> {
    this.#child.assertRunning();
    const id = (this.#nextId += 1);
    const message: CommandMessage = { id, command, params };
    const answered = new Promise<AnswerMessage>((resolve) => this.#waiting.set(id, resolve));
    const timer = setTimeout(
      () => this.#waiting.get(id)?.({ id, failure: `no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    this.#child.process.send(message);
    const answer = await answered;
    clearTimeout(timer);
    this.#waiting.delete(id);
    if (answer.failure !== undefined) {
      const log = this.#child.logTail;
      throw new BenchFailure(`${this.#child.name}: ${command}: ${answer.failure}\n${log}`);
    }
    return answer.result;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}

/** The worker's side: one handler per command. */
export type CommandHandlers<Commands extends CommandTable> = {
  readonly [Name in keyof Commands]: (
    params: Commands[Name]['params'],
  ) => Commands[Name]['result'] | Promise<Commands[Name]['result']>;
};

/** Answers commands from the parent process until it goes away, which also ends this process. */
export async function serveCommands<Commands extends CommandTable>(
  handlers: CommandHandlers<Commands>,
): Promise<void> {
  process.on('message', (message) => {
    const { id, command, params } = message as CommandMessage;
    const handler = handlers[command];
    if (handler === undefined) {
      process.send?.({ id, failure: 'unknown command' });
      return;
    }
    Promise.resolve(params)
      .then(handler)
      .then(
        (result: unknown) => process.send?.({ id, result }),
        (cause: unknown) => process.send?.({ id, failure: String(cause) }),
      );
  });
  await once(process, 'disconnect');
  process.exit(0);
}
