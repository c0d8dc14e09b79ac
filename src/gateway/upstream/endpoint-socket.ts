import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../../pool/endpoint.ts';

/** Hears what happens on a socket. */
export interface SocketListener {
  /** Ready to be written to: connected, and for TLS the server is verified. */
  onOpen(): void;
  /** Bytes of one read. The memory is used again for the next read of any socket. */
  onBytes(bytes: Buffer): void;
  /** The server will send no more. */
  onEnd(): void;
  /** What was written has left; more may be written. */
  onDrain(): void;
  /** Nothing more will happen; `error` is null after a regular end. */
  onClose(error: Error | null): void;
}

/** Dead peers are noticed after this long without traffic, by the system's own probes. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Every plain socket reads into this one buffer. A read is handed on and used up before the next
 * one begins, so that 5,000 open streams need one buffer and not 5,000.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** Opens a connection to an endpoint. */
export function openEndpointSocket(endpoint: Endpoint, listener: SocketListener): Socket {
  const { protocol, hostname, port } = new URL(endpoint.origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket =
    protocol === 'https:'
      ? openTls(endpoint, { host, port: Number(port || 443) }, listener)
      : openPlain({ host, port: Number(port || 80) }, listener);
  let error: Error | null = null;
  socket.on('error', (cause) => {
    error = cause;
  });
  socket.on('end', () => {
    listener.onEnd();
  });
  socket.on('drain', () => {
    listener.onDrain();
  });
  socket.on('close', () => {
    listener.onClose(error);
  });
  return socket;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function openPlain(address: Address, listener: SocketListener): Socket {
  const socket = connect({
    ...address,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    onread: {
      buffer: READ_BUFFER,
      callback: (length) => {
        listener.onBytes(READ_BUFFER.subarray(0, length));
        return true;
      },
    },
  });
  socket.on('connect', () => {
    listener.onOpen();
  });
  return socket;
}

function openTls(endpoint: Endpoint, address: Address, listener: SocketListener): Socket {
  const { tls } = endpoint.spec;
  const settings = tls ?? {
    caPem: null,
    certPem: null,
    keyPem: null,
    serverName: null,
    skipVerify: false,
  };
  const { caPem, certPem, keyPem, serverName, skipVerify } = settings;
  const socket = connectTls({
    ...address,
    ...(caPem === null ? {} : { ca: caPem }),
    ...(certPem === null ? {} : { cert: certPem }),
    ...(keyPem === null ? {} : { key: keyPem }),
    ...(serverName === null ? {} : { servername: serverName }),
    rejectUnauthorized: !skipVerify,
    ALPNProtocols: ['http/1.1'],
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  socket.on('secureConnect', () => {
    listener.onOpen();
  });
  socket.on('data', (bytes: Buffer) => {
    listener.onBytes(bytes);
  });
  return socket;
}
