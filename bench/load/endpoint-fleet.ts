// Many idle model servers in one cheap process: each listens on its own port and answers probes and
// scrapes with fixed texts.
import { createServer } from 'node:net';
import { serveCommands } from '../lib/worker.ts';
import { listenLocally } from './listen.ts';
import { MessageFramer } from './message-framer.ts';
import { encodeStaticResponse } from './static-answers.ts';

/** Commands of this process. */
export type EndpointFleetCommands = {
  /** Starts `count` servers; the result is their ports. */
  readonly listen: {
    readonly params: { readonly count: number };
    readonly result: readonly number[];
  };
  /** Requests since the last call. */
  readonly takeRequestCount: { readonly params: null; readonly result: number };
};

let requests = 0;

function createEndpoint(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    let path = '';
    const framer = new MessageFramer({
      onHead: (head) => {
        path = head.split(' ', 2)[1] ?? '';
      },
      onBody: () => {},
      onEnd: () => {
        requests += 1;
        socket.write(encodeStaticResponse(path), 'latin1');
      },
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
    socket.on('error', () => socket.destroy());
  });
  return listenLocally(server);
}

await serveCommands<EndpointFleetCommands>({
  listen: ({ count }) => Promise.all(Array.from({ length: count }, createEndpoint)),
  takeRequestCount: () => {
    const count = requests;
    requests = 0;
    return count;
  },
});
