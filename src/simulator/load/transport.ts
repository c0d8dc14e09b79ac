import type { LoadFailure } from './load-failure.ts';
import type { WireRequest } from './request-writer.ts';

/** Hears what comes of one request: data, then exactly one of `onEnd` and `onFailure`. */
export interface AnswerSink {
  /** Bytes of a stream of events; the memory may be reused afterwards. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  onFailure(failure: LoadFailure): void;
}

/** Carries requests to the server under load. */
export interface LoadTransport {
  /** Sends at once; the returned function gives the request up, after which nothing is heard. */
  send(request: WireRequest, sink: AnswerSink): () => void;
  /** Cuts secrets of this client out of what a server said. */
  redact(text: string): string;
}
