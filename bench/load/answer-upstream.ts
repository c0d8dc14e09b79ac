// Upstream for long prompts, run as its own process: reads every request to its last byte, forgets
// it and answers with a short completion. nginx's `return` would answer before the body has
// arrived, which makes proxies give up the connection.
import { createServer } from 'node:net';
import { serveCommands } from '../lib/worker.ts';
import { MessageFramer } from './message-framer.ts';
import { CHAT_ANSWER, encodeResponse, encodeStaticResponse } from './static-answers.ts';
import { listenLocally } from './listen.ts';

/** Commands of this process. */
export type AnswerUpstreamCommands = {
  /** Starts to listen; the result is the port. */
  readonly listen: { readonly params: null; readonly result: number };
  /** What has arrived since the last call. */
  readonly takeCounts: {
    readonly params: null;
    readonly result: { readonly posts: number; readonly bodyBytes: number };
  };
};

let posts = 0;
let bodyBytes = 0;

const COMPLETION = encodeResponse('200 OK', 'application/json', CHAT_ANSWER);

const server = createServer({ noDelay: true }, (socket) => {
  let answer = COMPLETION;
  let isPost = false;
  const framer = new MessageFramer({
    onHead: (head) => {
      const [method, path] = head.split(' ', 2);
      isPost = method === 'POST';
      answer = isPost ? COMPLETION : encodeStaticResponse(path ?? '');
    },
    onBody: (piece) => {
      bodyBytes += piece.length;
    },
    onEnd: () => {
      if (isPost) posts += 1;
      socket.write(answer, 'latin1');
    },
  });
  socket.on('data', (chunk: Buffer) => framer.push(chunk));
  socket.on('error', () => socket.destroy());
});

await serveCommands<AnswerUpstreamCommands>({
  listen: () => listenLocally(server),
  takeCounts: () => {
    const counts = { posts, bodyBytes };
    posts = 0;
    bodyBytes = 0;
    return counts;
  },
});
