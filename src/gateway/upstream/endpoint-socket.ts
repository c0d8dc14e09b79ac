import { connect, Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { Endpoint, EndpointTls } from '../../pool/endpoint.ts';

/** Hears what happens on a socket. */
export interface SocketListener {
  /** Ready to be written to: connected, and for TLS the server is verified. */
  onOpen(): void;
  /**
   * Bytes of one read. The memory is used again for the next read of any socket. False reads no
   * more until the socket is resumed.
   */
  onBytes(bytes: Buffer): boolean;
  /** The server will send no more. */
  onEnd(): void;
  /** What was written has left; more may be written. */
  onDrain(): void;
  /** Broken, or closed when `error` is null; may be told twice. */
  onClose(error: Error | null): void;
}

/** Dead peers are noticed after this long without traffic, by the system's own probes. */
const TCP_KEEP_ALIVE_MS = 60_000;

/**
 * Every plain socket reads into this one buffer. A read is handed on and used up before the next
 * one begins, so that 5,000 open streams need one buffer and not 5,000.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * What certificates are checked with and shown, made once for all connections of an endpoint:
 * reading the certificates anew took 1 ms for each.
 */
const secureContexts: WeakMap<EndpointTls, SecureContext> = new WeakMap();

const DEFAULT_TLS: EndpointTls = {
  caPem: null,
  certPem: null,
  keyPem: null,
  serverName: null,
  skipVerify: false,
};

/** Opens a connection to an endpoint. What is wrong with it is told by `onClose`, never thrown. */
export function openEndpointSocket(endpoint: Endpoint, listener: SocketListener): Socket {
  const socket = startSocket(endpoint, listener);
  // Not only on `close`, which comes a turn later: until then the connection would look idle.
  socket.on('error', (error) => {
    listener.onClose(error);
  });
  socket.on('end', () => {
    listener.onEnd();
  });
  socket.on('drain', () => {
    listener.onDrain();
  });
  socket.on('close', () => {
    listener.onClose(null);
  });
  return socket;
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function startSocket({ origin, spec }: Endpoint, listener: SocketListener): Socket {
  const { protocol, hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol !== 'https:') return openPlain({ host, port: Number(port || 80) }, listener);
  try {
    return openTls({ host, port: Number(port || 443) }, spec.tls ?? DEFAULT_TLS, listener);
  } catch (cause) {
    // Certificates that cannot be read.
    return new Socket().destroy(cause as Error);
  }
}

function openPlain(address: Address, listener: SocketListener): Socket {
  const socket = connect({
    ...address,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    onread: {
      buffer: READ_BUFFER,
      callback: (length) => listener.onBytes(READ_BUFFER.subarray(0, length)),
    },
  });
  socket.on('connect', () => {
    listener.onOpen();
  });
  return socket;
}

/**
 * TLS sockets do not read into the shared buffer: Node hands on what is left of a decrypted record
 * even when the reader has just asked for a pause, and only its own stream keeps that.
 */
function openTls(address: Address, tls: EndpointTls, listener: SocketListener): Socket {
  const { serverName, skipVerify } = tls;
  const socket = connectTls({
    ...address,
    ...(serverName === null ? {} : { servername: serverName }),
    secureContext: secureContextOf(tls),
    rejectUnauthorized: !skipVerify,
    ALPNProtocols: ['http/1.1'],
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
  socket.on('secureConnect', () => {
    listener.onOpen();
  });
  socket.on('data', (bytes: Buffer) => {
    if (!listener.onBytes(bytes)) socket.pause();
  });
  return socket;
}

function secureContextOf(tls: EndpointTls): SecureContext {
  let context = secureContexts.get(tls);
  if (context === undefined) {
    const { caPem, certPem, keyPem } = tls;
    context = createSecureContext({
      ...(caPem === null ? {} : { ca: caPem }),
      ...(certPem === null ? {} : { cert: certPem }),
      ...(keyPem === null ? {} : { key: keyPem }),
    });
    secureContexts.set(tls, context);
  }
  return context;
}
