import { once } from 'node:events';
import type { Server } from 'node:net';

/** Starts `server` on a port of 127.0.0.1 that the kernel chooses, and returns that port. */
export async function listenLocally(server: Server): Promise<number> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
