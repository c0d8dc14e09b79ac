import { fail, succeed } from '../core/result.ts';
import type { Result } from '../core/result.ts';

const EXAMPLE = 'write it like http://10.0.0.5:8000 or gpu-1:8000';

/**
 * The address of a model server as `EndpointSpec.url` wants it: scheme and host, the port unless it
 * is the scheme's own, an optional base path, no trailing slash. Takes `http(s)://host:port` and
 * `host:port`, with or without a trailing slash or `/v1`. The error says what is wrong and the way
 * out.
 */
export function normaliseServerUrl(text: string): Result<string, string> {
  const quoted = JSON.stringify(text);
  if (text === '') return fail(`the server address is empty; ${EXAMPLE}`);
  // URL parsers remove some of these and read the backslash as a slash.
  if (/[\s\\]/.test(text)) {
    return fail(`${quoted} contains white space or a backslash; ${EXAMPLE}`);
  }
  // A parser takes 8000 for the address 0.0.31.64.
  if (/^\d+$/.test(text)) return fail(`${quoted} has no host; ${EXAMPLE}`);
  const scheme = schemeOf(text);
  if (!['', 'http', 'https'].includes(scheme)) {
    return fail(`${quoted} has the scheme ${scheme}; only http and https are supported`);
  }
  if (scheme === '' && /^[^/[]*:[^/]*:/.test(text)) {
    return fail(`${quoted} looks like an IPv6 address; put it in brackets, like [::1]:8000`);
  }
  const full = scheme === '' ? `http://${text}` : text;
  if (!/^[a-z]+:\/\/[^/?#]/i.test(full) || !URL.canParse(full)) {
    return fail(`${quoted} is not an address; ${EXAMPLE}`);
  }
  return fromUrl(new URL(full), quoted);
}

function schemeOf(text: string): string {
  return (/^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? '').toLowerCase();
}

function fromUrl(url: URL, quoted: string): Result<string, string> {
  if (url.hostname === '') return fail(`${quoted} has no host; ${EXAMPLE}`);
  if (url.username !== '' || url.password !== '') {
    return fail(`${quoted} contains credentials; remove the part before the @`);
  }
  if (url.search !== '' || url.hash !== '') {
    return fail(`${quoted} has a query or fragment; leave out everything from the ? or #`);
  }
  if (url.port === '0') return fail(`${quoted} has port 0; ${EXAMPLE}`);
  const path = url.pathname.replace(/\/+$/, '').replace(/(^|\/)v1$/, '');
  if (/\/v1\//.test(`${path}/`)) {
    return fail(`${quoted} is an API path; end the address before /v1`);
  }
  return succeed(`${url.origin}${path.replace(/\/+$/, '')}`);
}
