import { createRng, pickIndex, type Rng } from '../../src/core/rng.ts';
import { BENCH_MODEL } from './static-answers.ts';

/** What a generated chat request asks for. */
export interface ChatBodyOptions {
  /** Length of the body in bytes; met within a few bytes. */
  readonly sizeBytes: number;
  /** Different seeds give different conversations. */
  readonly seed: number;
  /** Further top-level members, written after the messages. */
  readonly members: Readonly<Record<string, unknown>>;
}

interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** What the last message adds around its content. */
const MESSAGE_OVERHEAD_BYTES = ',{"role":"user","content":""}'.length;
const TURN_CHARS = 6_000;

const WORDS = (
  'the a of to and in that it is was for on with as by at from this which or be are not but when ' +
  'request token model server queue batch memory block cache stream latency router replica decode ' +
  'prefill adapter schedule balance turbine river water gate pressure engineer measure report café ' +
  'naïve Größe résumé 模型 服务器 указать → “quoted” don’t'
).split(' ');

const CODE_LINES = [
  'const value = table["key"] ?? "none";',
  'if (path.match(/^\\\\?\\\\[a-z]+$/)) return "C:\\\\temp\\\\new";',
  '\tprintf("%s\\n", name);',
  '  "id": "a1b2", "items": [1, 2.5, -3e8, null, true],',
  "for line in text.split('\\n'): print(line.strip())",
  'SELECT * FROM "order" WHERE note LIKE \'%"x"%\';',
];

/**
 * A chat completion request as an application sends it: model first, then turns of prose and code
 * whose quotes, backslashes, tabs and line breaks become escapes, and some text beyond ASCII.
 */
export function createChatBody(options: ChatBodyOptions): string {
  const rng = createRng(options.seed);
  const messages: Message[] = [
    { role: 'system', content: `You are a careful assistant. Session ${options.seed}.` },
  ];
  const missing = (): number => options.sizeBytes - Buffer.byteLength(encode(messages, options));
  for (let left = missing(); left > 2 * TURN_CHARS; left = missing()) {
    const turns = Math.max(1, Math.floor(left / (2 * TURN_CHARS)));
    for (let turn = 0; turn < turns; turn += 1) messages.push(createTurn(rng, messages.length));
  }
  const rest = Math.max(0, missing() - MESSAGE_OVERHEAD_BYTES);
  messages.push({ role: 'user', content: trimToEncodedSize(createText(rng, rest), rest) });
  return encode(messages, options);
}

/** `count` bodies that differ from the first message on, so that no two share a prefix. */
export function createChatBodies(count: number, sizeBytes: number): readonly string[] {
  const members = { max_tokens: 64 };
  return Array.from({ length: count }, (_, index) =>
    createChatBody({ sizeBytes, seed: index + 1, members }),
  );
}

function encode(messages: readonly Message[], options: ChatBodyOptions): string {
  return JSON.stringify({ model: BENCH_MODEL, messages, temperature: 0.2, ...options.members });
}

function createTurn(rng: Rng, index: number): Message {
  const role = index % 2 === 1 ? 'user' : 'assistant';
  return { role, content: createText(rng, TURN_CHARS) };
}

/** Paragraphs of prose with a block of code after every third. */
function createText(rng: Rng, chars: number): string {
  let text = '';
  for (let paragraph = 1; text.length < chars; paragraph += 1) {
    text += paragraph % 3 === 0 ? createCode(rng) : createProse(rng);
  }
  return text.slice(0, chars);
}

function createProse(rng: Rng): string {
  const words = Array.from({ length: 60 }, () => WORDS[pickIndex(rng, WORDS.length)]);
  return `${words.join(' ')}.\n\n`;
}

function createCode(rng: Rng): string {
  const lines = Array.from({ length: 8 }, () => CODE_LINES[pickIndex(rng, CODE_LINES.length)]);
  return `\`\`\`\n${lines.join('\n')}\n\`\`\`\n\n`;
}

/** The longest start of `text` whose JSON encoding has at most `sizeBytes` bytes. */
function trimToEncodedSize(text: string, sizeBytes: number): string {
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const encoded = JSON.stringify(text.slice(0, middle));
    if (Buffer.byteLength(encoded) - 2 <= sizeBytes) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low);
}
