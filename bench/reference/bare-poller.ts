// The least that watching many endpoints can cost on Node: one kept-alive connection to each, a
// fixed request for its metrics in turn at a constant rate, and no look at the answer.
// Usage: bare-poller.ts REQUESTS_PER_SECOND PORT...
import { connect } from 'node:net';

const [requestsPerSecond, ...ports] = process.argv.slice(2).map(Number);
const REQUEST = 'GET /metrics HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';

const sockets = ports.map((port) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('data', () => {});
  socket.on('error', (cause) => {
    process.stderr.write(`${cause.message}\n`);
    process.exit(1);
  });
  return socket;
});

let turn = 0;
setInterval(
  () => {
    turn = (turn + 1) % sockets.length;
    sockets[turn]?.write(REQUEST);
  },
  1000 / Number(requestsPerSecond),
);
