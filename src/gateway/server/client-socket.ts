import type { Socket } from 'node:net';

/** Hears what happens on a client's socket. */
export interface ClientSocketListener {
  /** Bytes of one read; their memory is not used again. */
  onBytes(bytes: Buffer): void;
  /** The client will send no more. */
  onEnd(): void;
  /** What was written has left; more may be written. */
  onDrain(): void;
  /** Broken or closed; may be told twice. */
  onClose(): void;
}

/** A socket that knows who listens: one function per event for all sockets, not one for each. */
interface ListenedSocket extends Socket {
  penstockListener?: ClientSocketListener;
}

/** Tells `listener` what happens on `socket`. */
export function listenTo(socket: Socket, listener: ClientSocketListener): void {
  (socket as ListenedSocket).penstockListener = listener;
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onClose);
  socket.on('close', onClose);
}

function onData(this: ListenedSocket, bytes: Buffer): void {
  this.penstockListener?.onBytes(bytes);
}

function onEnd(this: ListenedSocket): void {
  this.penstockListener?.onEnd();
}

function onDrain(this: ListenedSocket): void {
  this.penstockListener?.onDrain();
}

function onClose(this: ListenedSocket): void {
  this.penstockListener?.onClose();
}
