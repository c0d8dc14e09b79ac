import {
  type Credential,
  CREDENTIAL_CHARS_MAX,
  CREDENTIAL_PLACES,
  NO_CREDENTIAL,
} from '../../director/types.ts';
import { encodeValue, type LineValue, NULL_VALUE } from '../../protocol/recording/line-input.ts';
import type { RecordingSecrets } from './secrets.ts';

/** Who sends requests, as a recording says it. */
interface Tenant {
  readonly credential: Credential;
  /** Hash of the bare credential. */
  readonly value: LineValue;
}

/** Requests without a credential. */
const NO_TENANT: Tenant = Object.freeze({ credential: NO_CREDENTIAL, value: NULL_VALUE });

/** Credentials whose hash is kept; past this many all are hashed anew, 3 us each. */
const TENANTS_MAX = 4096;

/** Tenants of a recording by their credentials. */
export class Tenants {
  readonly #secrets: RecordingSecrets;
  readonly #known: Map<string, LineValue> = new Map();
  readonly #recent: Tenant[] = Array.from({ length: CREDENTIAL_PLACES }, () => NO_TENANT);

  constructor(secrets: RecordingSecrets) {
    this.#secrets = secrets;
  }

  /** As a line says it; null for no credential. Hot: bench `proxy`, check `recording overhead`. */
  find(credential: Credential): LineValue {
    const recent = this.#recent[credential.place] as Tenant;
    if (recent.credential === credential) return recent.value;
    const { text, place } = credential;
    if (text.length > CREDENTIAL_CHARS_MAX) return this.#hash(text);
    const value = this.#known.get(text) ?? this.#keep(text);
    this.#recent[place] = { credential, value };
    return value;
  }

  #keep(text: string): LineValue {
    const value = this.#hash(text);
    if (this.#known.size >= TENANTS_MAX) this.#known.clear();
    this.#known.set(text, value);
    return value;
  }

  #hash(text: string): LineValue {
    return text.trim() === '' ? NULL_VALUE : encodeValue(this.#secrets.hashCredential(text));
  }
}
