import type { Outcome } from '../../core/errors.ts';
import type { LineRecord } from './line-input.ts';
import { encodeWord, type Word } from './put-values.ts';

type Text = string | null;

/** Values of a line that follow one another, and their bytes. */
interface NameWords {
  readonly api: string;
  readonly model: Text;
  readonly adapter: Text;
  readonly pool: Text;
  readonly endpoint: Text;
  readonly word: Word;
}

/** Names kept, some 500 bytes each; past this many all are made anew. */
const NAMES_MAX = 4096;

/** Ends kept, some 100 bytes each; past this many all are made anew. */
const ENDS_MAX = 1024;

/**
 * The values from `api` to `endpoint`, as one word. They were nearly always those of an earlier
 * request, and most often those of the last.
 */
export class NameTable {
  /** By model, then endpoint. */
  readonly #known: Map<Text, Map<Text, NameWords>> = new Map();
  #count = 0;
  #last: NameWords | null = null;

  /** Hot: check `recording overhead` of bench `proxy`. */
  find(record: LineRecord): Word {
    const { attempts } = record;
    const tried = attempts.length;
    const endpoint = tried === 0 ? null : (attempts[tried - 1] as { endpoint: string }).endpoint;
    const last = this.#last;
    if (last !== null && areOf(last, record, endpoint)) return last.word;
    const known = this.#known.get(record.clientModel)?.get(endpoint);
    const isSame = known !== undefined && areOf(known, record, endpoint);
    this.#last = isSame ? known : this.#keep(record, endpoint);
    return this.#last.word;
  }

  #keep({ api, clientModel: model, adapter, pool }: LineRecord, endpoint: Text): NameWords {
    if (this.#count >= NAMES_MAX) {
      this.#known.clear();
      this.#count = 0;
    }
    let byEndpoint = this.#known.get(model);
    if (byEndpoint === undefined) this.#known.set(model, (byEndpoint = new Map()));
    if (!byEndpoint.has(endpoint)) this.#count += 1;
    const json = JSON.stringify([api, model, adapter, pool, endpoint]);
    const word = encodeWord(`${json.slice(1, -1)},`);
    const names: NameWords = { api, model, adapter, pool, endpoint, word };
    byEndpoint.set(endpoint, names);
    return names;
  }
}

function areOf(names: NameWords, record: LineRecord, endpoint: Text): boolean {
  return (
    names.endpoint === endpoint &&
    names.model === record.clientModel &&
    names.api === record.api &&
    names.adapter === record.adapter &&
    names.pool === record.pool
  );
}

/** How a request ended, and its bytes. */
interface EndWords {
  readonly outcome: Outcome;
  readonly status: number;
  readonly attempts: number;
  readonly word: Word;
}

/** The values `outcome`, `status` and `attempts`, as one word: there are few of them. */
export class EndTable {
  readonly #known: Map<string, EndWords> = new Map();
  #last: EndWords | null = null;

  /** Hot: check `recording overhead` of bench `proxy`. */
  find(record: LineRecord): Word {
    const last = this.#last;
    const outcome = record.outcome ?? 'interrupted';
    const status = record.status ?? 0;
    const attempts = record.attempts.length;
    const isLast =
      last !== null &&
      last.outcome === outcome &&
      last.status === status &&
      last.attempts === attempts;
    if (isLast) return last.word;
    const json = `"${outcome}",${status},${attempts},`;
    this.#last = this.#known.get(json) ?? this.#keep(json, { outcome, status, attempts });
    return this.#last.word;
  }

  #keep(json: string, end: Omit<EndWords, 'word'>): EndWords {
    if (this.#known.size >= ENDS_MAX) this.#known.clear();
    const kept: EndWords = { ...end, word: encodeWord(json) };
    this.#known.set(json, kept);
    return kept;
  }
}
