import type { PromptSegment } from '../workloads/types.ts';

// Three letters and a space before them: four bytes a token, as the gateway's estimate has it; one
// token each for the simulated engine, and for the vocabularies of most real models.
const WORDS: readonly string[] = Object.freeze(
  (
    'the and for are but not you all any can had her was one our out day get has him his how man ' +
    'new now old see two way who boy did its let put say she too use dad mom act add age ago aid ' +
    'air arm art ask bad bag bar bat bed bet big bit box bus buy car cat cup cut dog dry due ear ' +
    'eat egg end eye far few fit fix fly fun gas god got gun guy hit hot ice ill job key kid law ' +
    'lay led leg lie lot low map may men met mix net nor odd off oil own pay per pop raw red rid ' +
    'row run sad sea set sit six sky son sun tax tea ten tie tip top try war wet win yes yet'
  ).split(' '),
);

/** Bytes of text per planned token. */
export const BYTES_PER_TOKEN = 4;

/** A power of two, so that a word is a few bits of a hash. */
const WORD_COUNT = 128;

const WORD_BYTES: Uint8Array = Buffer.from(
  WORDS.slice(0, WORD_COUNT)
    .map((word) => ` ${word}`)
    .join(''),
  'latin1',
);

/**
 * Text of a segment: as many words as it has tokens. Equal ids and salts give equal text, a longer
 * segment begins with the text of a shorter one, and other ids give other words from the start.
 */
export function segmentText({ id, tokens }: PromptSegment, salt: number): string {
  const bytes = Buffer.allocUnsafe(tokens * BYTES_PER_TOKEN);
  // An LCG (Numerical Recipes' constants) from a mixed seed: its high bits are good enough for
  // words, and a prompt of 100,000 tokens takes a fraction of a millisecond.
  let state = mix(mix(id) ^ salt);
  for (let index = 0; index < tokens; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const word = (state >>> 25) * BYTES_PER_TOKEN;
    const at = index * BYTES_PER_TOKEN;
    bytes[at] = WORD_BYTES[word] as number;
    bytes[at + 1] = WORD_BYTES[word + 1] as number;
    bytes[at + 2] = WORD_BYTES[word + 2] as number;
    bytes[at + 3] = WORD_BYTES[word + 3] as number;
  }
  return bytes.toString('latin1');
}

/** MurmurHash3's finalizer. */
function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
