import {
  type Credential,
  CREDENTIAL_CHARS_MAX,
  CREDENTIAL_PLACES,
  NO_CREDENTIAL,
} from '../../director/types.ts';
import type { RequestHead } from '../server/request-head.ts';
import { copyText } from '../wire/copy-text.ts';

/** Where the head of a request says who sends it. */
export type CredentialSpan = Pick<RequestHead, 'text' | 'credentialStart' | 'credentialEnd'>;

/** Credentials that are kept, 4 MiB at most; past this many all are forgotten and met anew. */
const KEPT_MAX = 4096;

/**
 * The credentials that clients send, one object for all requests with the same: who asks is found
 * while the request's head is at hand, and is cheap to compare and to look up from then on.
 */
export class Credentials {
  readonly #known: Map<string, Credential> = new Map();
  readonly #recent: Credential[] = Array.from({ length: CREDENTIAL_PLACES }, () => NO_CREDENTIAL);

  /**
   * The credential of a request with this head. To compare one where it stands is cheaper than to
   * cut it out or to hash it for a map. Hot: bench `proxy`.
   */
  find({ text, credentialStart, credentialEnd }: CredentialSpan): Credential {
    const length = credentialEnd - credentialStart;
    if (length === 0) return NO_CREDENTIAL;
    // Keys differ at their ends, whatever they begin with.
    const mixed = text.charCodeAt(credentialEnd - 1) * 31 + text.charCodeAt(credentialEnd - 2) * 7;
    const place = (mixed + length) & (CREDENTIAL_PLACES - 1);
    const recent = this.#recent[place] as Credential;
    const isSame = recent.text.length === length && text.startsWith(recent.text, credentialStart);
    if (isSame) return recent;
    const cut = text.slice(credentialStart, credentialEnd);
    if (length > CREDENTIAL_CHARS_MAX) return { text: cut, place };
    const credential = this.#known.get(cut) ?? this.#keep(cut, place);
    this.#recent[place] = credential;
    return credential;
  }

  #keep(cut: string, place: number): Credential {
    // A slice would keep all the head of the request.
    const credential: Credential = { text: copyText(cut), place };
    if (this.#known.size >= KEPT_MAX) this.#known.clear();
    this.#known.set(credential.text, credential);
    return credential;
  }
}
