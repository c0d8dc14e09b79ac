// A bare HTTP/1.1 proxy on raw sockets: the reference where nginx is absent, and the least that a
// proxy on Node can cost. It forwards bytes as they are and finds message ends; it checks nothing,
// times nothing out and does not survive a hostile peer. Usage: raw-proxy.ts LISTEN_PORT
// UPSTREAM_PORT
import { connect, createServer, type Socket } from 'node:net';
import { MessageFramer } from '../load/message-framer.ts';

const [listenPort, upstreamPort] = process.argv.slice(2).map(Number);

/** A kept-alive connection to the upstream and the client that it serves now. */
class UpstreamConnection {
  static readonly #idle: UpstreamConnection[] = [];
  readonly #socket: Socket;
  #client: Socket | null = null;
  #onDone: (() => void) | null = null;

  static take(client: Socket, onDone: () => void): UpstreamConnection {
    const connection = UpstreamConnection.#idle.pop() ?? new UpstreamConnection();
    connection.#client = client;
    connection.#onDone = onDone;
    return connection;
  }

  private constructor() {
    this.#socket = connect(Number(upstreamPort), '127.0.0.1');
    this.#socket.setNoDelay(true);
    const framer = new MessageFramer({
      onHead: () => {},
      onBody: () => {},
      onEnd: () => this.#release(),
    });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#client?.write(chunk);
      framer.push(chunk);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#client?.destroy();
      const index = UpstreamConnection.#idle.indexOf(this);
      if (index >= 0) UpstreamConnection.#idle.splice(index, 1);
    });
  }

  write(chunk: Buffer): void {
    this.#socket.write(chunk);
  }

  destroy(): void {
    this.#client = null;
    this.#socket.destroy();
  }

  #release(): void {
    this.#client = null;
    this.#onDone?.();
    UpstreamConnection.#idle.push(this);
  }
}

function serveClient(client: Socket): void {
  let upstream: UpstreamConnection | null = null;
  client.on('data', (chunk: Buffer) => {
    upstream ??= UpstreamConnection.take(client, () => {
      upstream = null;
    });
    upstream.write(chunk);
  });
  client.on('error', () => {});
  client.on('close', () => upstream?.destroy());
}

createServer({ noDelay: true }, serveClient).listen({
  port: Number(listenPort),
  host: '127.0.0.1',
  backlog: 4096,
});
