import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

import type { AdminErrorCode } from './admin-errors.ts';

/** Why a call is refused. */
export interface GuardRefusal {
  readonly code: AdminErrorCode;
  readonly message: string;
}

/** What a caller may do through a path. */
export type Exposure =
  /** Health: answers everyone, tells nothing but up or down. */
  | 'public'
  /** Tells about the gateway. */
  | 'read'
  /** Changes the gateway. */
  | 'change';

/** Which names a caller may use for this server. */
export interface GuardPolicy {
  /** Lower-case host names and addresses, IPv6 without brackets. */
  readonly hosts: ReadonlySet<string>;
  /** Listening on every address: any address literal is this server. */
  readonly isEverywhere: boolean;
  /** Only programs of this machine can reach it. */
  readonly isLoopback: boolean;
}

const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '::1'];
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const OWN_FETCH_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/** The policy of a server on `host` that is also known under `names`. */
export function createGuardPolicy(host: string, names: readonly string[]): GuardPolicy {
  const own = normaliseHost(host);
  return {
    hosts: new Set([...LOOPBACK_NAMES, own, ...names.map(normaliseHost)]),
    isEverywhere: EVERYWHERE.has(own),
    isLoopback: isLoopbackHost(own),
  };
}

/**
 * Null when `request` may go on. The admin server has no keys, so a browser on the same machine is
 * the way in for a hostile page: through a form or fetch of another origin (caught by Origin and
 * Sec-Fetch-Site) or by a name that it points at this address (caught by Host). Reads need the
 * Host check only on loopback; elsewhere whoever can reach the port may read.
 */
export function checkRequest(
  request: IncomingMessage,
  exposure: Exposure,
  policy: GuardPolicy,
): GuardRefusal | null {
  if (exposure === 'public') return null;
  if ((exposure === 'change' || policy.isLoopback) && !isOwnHost(request, policy)) {
    return { code: 'host_not_allowed', message: 'The Host header does not name this server.' };
  }
  if (exposure === 'change' && isCrossOrigin(request)) {
    return { code: 'cross_origin', message: 'Pages of other origins may not change anything.' };
  }
  return null;
}

/** Whether only this machine can reach a listener on `host`. */
export function isLoopbackHost(host: string): boolean {
  const own = normaliseHost(host);
  return own === 'localhost' || own === '::1' || (isIP(own) === 4 && own.startsWith('127.'));
}

function isOwnHost(request: IncomingMessage, policy: GuardPolicy): boolean {
  const header = request.headers.host;
  if (header === undefined) return false;
  const host = normaliseHost(withoutPort(header));
  return policy.hosts.has(host) || (policy.isEverywhere && isIP(host) !== 0);
}

function isCrossOrigin(request: IncomingMessage): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && (typeof site !== 'string' || !OWN_FETCH_SITES.has(site))) return true;
  const { origin } = request.headers;
  if (origin === undefined) return false;
  const url = URL.parse(origin);
  return url === null || url.host !== request.headers.host?.toLowerCase();
}

/** The host of a Host header: `[::1]:9000` is `[::1]`, `a:9000` is `a`. */
function withoutPort(header: string): string {
  return header.replace(/:\d*$/, '');
}

function normaliseHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}
