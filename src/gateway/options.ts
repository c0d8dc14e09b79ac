/** How long to wait for a model server, in milliseconds; null waits without limit. */
export interface UpstreamTimeouts {
  /** TCP and TLS handshake. */
  readonly connectMs: number | null;
  /** From the sent request to the head of the answer. */
  readonly firstByteMs: number | null;
  /** Longest silence inside an answer. */
  readonly idleMs: number | null;
  /** The whole request, from its first byte to the answer's last. */
  readonly totalMs: number | null;
}

/** What one client may ask for. */
export interface ClientLimits {
  readonly bodyBytes: number;
  /** Request line and headers without the target. */
  readonly headerBytes: number;
  /** Request target. */
  readonly urlBytes: number;
  /** Time for a request's whole head. */
  readonly headMs: number;
  /** Longest pause between two pieces of a request body. */
  readonly bodyMs: number;
  /** How long an idle client connection stays open. */
  readonly keepAliveMs: number;
  /** Client connections open at once on one listener. */
  readonly connections: number;
}

/** What the relaying of requests needs to know; may be replaced by a reload. */
export interface RelayOptions {
  readonly timeouts: UpstreamTimeouts;
  readonly limits: ClientLimits;
  /** Request body bytes kept for another attempt. */
  readonly replayBytes: number;
  /** Whether streams are asked for their usage when the client did not. */
  readonly captureUsage: boolean;
  /** Whether responses carry `x-penstock-endpoint`. */
  readonly showEndpoint: boolean;
}

/** One address to serve clients on. */
export interface ListenerOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether clients here are trusted with all `x-penstock-*` request headers. */
  readonly isInternal: boolean;
  /** PEM texts of the certificate chain and its key; null serves plain HTTP. */
  readonly tls: { readonly certPem: string; readonly keyPem: string } | null;
}
