import { isIP } from 'node:net';

import { normaliseServerUrl } from '../../discovery/server-url.ts';
import type { HostPort } from './config.ts';

const HOST_NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/;
const HIGHEST_PORT = 65_535;

/**
 * Whether `host` is an address, or a name of letters, digits, `-`, `_` and dots of at most 253
 * characters.
 */
export function isHost(host: string): boolean {
  return isIP(host) !== 0 || (host.length <= 253 && HOST_NAME.test(host));
}

function parsePort(digits: string): number | null {
  if (!/^\d{1,5}$/.test(digits)) return null;
  const port = Number(digits);
  return port <= HIGHEST_PORT ? port : null;
}

/** Reads `host:port` or `[v6]:port`; null when it is neither. */
export function parseHostPort(text: string): HostPort | null {
  const colon = text.lastIndexOf(':');
  if (colon <= 0) return null;
  const port = parsePort(text.slice(colon + 1));
  if (port === null) return null;
  const bracketed = /^\[(.+)\]$/.exec(text.slice(0, colon));
  const host = bracketed?.[1] ?? text.slice(0, colon);
  if (bracketed !== null) return isIP(host) === 6 ? { host, port } : null;
  return isHost(host) && isIP(host) !== 6 ? { host, port } : null;
}

/** Reads a name server: an address, with a port or meaning port 53; null when it is neither. */
export function parseResolver(text: string): HostPort | null {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const address = parseHostPort(text);
  return address !== null && isIP(address.host) !== 0 ? address : null;
}

/** `host:port`, with brackets round an IPv6 address. */
export function formatHostPort(address: HostPort): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

/** Whether two listeners on these addresses would fight for one port. */
export function isSameListenAddress(left: HostPort, right: HostPort): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  return left.host === right.host || isEverywhere(left.host) || isEverywhere(right.host);
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/**
 * Normalises the address of a model server as `normaliseServerUrl` does; null when it is none.
 */
export function parseServerUrl(text: string): string | null {
  const url = normaliseServerUrl(text);
  return url.ok ? url.value : null;
}
