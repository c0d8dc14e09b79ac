import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import type { ListenerTls, UpstreamTls } from './config.ts';
import type { FileListenerTls, FileUpstreamTls } from './file-config.ts';
import type { ConfigPath } from './problem.ts';
import type { ReportProblem } from './references.ts';

/** Larger files are not PEM files of anybody's certificates; the system's own bundle has 0.3 MB. */
const MOST_BYTES = 4_194_304;

/** Reads the PEM files that a configuration names. Paths are relative to `directory`. */
export class TlsFiles {
  readonly #directory: string;
  readonly #report: ReportProblem;

  constructor(directory: string, report: ReportProblem) {
    this.#directory = directory;
    this.#report = report;
  }

  /** Null when a problem was reported. */
  listener(tls: FileListenerTls, path: ConfigPath): ListenerTls | null {
    const certPem = this.#certificate(tls.certFile, [...path, 'certFile']);
    const keyPem = this.#key(tls.keyFile, [...path, 'keyFile']);
    if (certPem === null || keyPem === null) return null;
    this.#checkPair(certPem, keyPem, path);
    return { certFile: this.path(tls.certFile), keyFile: this.path(tls.keyFile), certPem, keyPem };
  }

  upstream(tls: FileUpstreamTls, path: ConfigPath): UpstreamTls {
    const { caFile, certFile, keyFile, serverName, skipVerify } = tls;
    const caPem = caFile === null ? null : this.#certificate(caFile, [...path, 'caFile']);
    const certPem = certFile === null ? null : this.#certificate(certFile, [...path, 'certFile']);
    const keyPem = keyFile === null ? null : this.#key(keyFile, [...path, 'keyFile']);
    if (certPem !== null && keyPem !== null) this.#checkPair(certPem, keyPem, path);
    return {
      caFile: this.#pathOrNull(caFile),
      certFile: this.#pathOrNull(certFile),
      keyFile: this.#pathOrNull(keyFile),
      caPem,
      certPem,
      keyPem,
      serverName,
      skipVerify,
    };
  }

  /** A path of the configuration, absolute. */
  path(file: string): string {
    return resolve(this.#directory, file);
  }

  #pathOrNull(file: string | null): string | null {
    return file === null ? null : this.path(file);
  }

  #certificate(file: string, path: ConfigPath): string | null {
    const pem = this.#read(file, path);
    if (pem === null) return null;
    try {
      return new X509Certificate(pem).raw.length > 0 ? pem : null;
    } catch {
      this.#report(path, `${file} holds no certificate in PEM form`);
      return null;
    }
  }

  #key(file: string, path: ConfigPath): string | null {
    const pem = this.#read(file, path);
    if (pem === null) return null;
    try {
      createPrivateKey(pem);
      return pem;
    } catch {
      this.#report(path, `${file} holds no private key in PEM form, or one with a passphrase`);
      return null;
    }
  }

  #checkPair(certPem: string, keyPem: string, path: ConfigPath): void {
    if (new X509Certificate(certPem).checkPrivateKey(createPrivateKey(keyPem))) return;
    this.#report([...path, 'keyFile'], 'the key does not belong to the certificate');
  }

  #read(file: string, path: ConfigPath): string | null {
    try {
      const content = readFileSync(this.path(file));
      if (content.length <= MOST_BYTES) return content.toString('utf8');
      this.#report(path, `${file} is larger than 4 MiB`);
    } catch (cause) {
      this.#report(path, `${file} cannot be read: ${reasonOf(cause)}`);
    }
    return null;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why a file could not be read, for people. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  return (Object.hasOwn(REASONS, code) ? REASONS[code] : undefined) ?? cause.message;
}
