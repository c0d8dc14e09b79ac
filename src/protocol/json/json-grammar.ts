/**
 * RFC 8259 as a table: byte -> class, (mode, state, class) -> next state or action. States are
 * entered without further work; actions need the scanner's stack or its sink. Where nothing is
 * watched only brackets are actions, so that the inside of a prompt costs one table step per byte
 * at most.
 */

/**
 * What the scanner waits for. `string` and `keyString` are last: their bytes are skipped in runs.
 */
export const STATE = {
  value: 0,
  arrayFirst: 32,
  objectFirst: 64,
  key: 96,
  colon: 128,
  objectAfter: 160,
  arrayAfter: 192,
  done: 224,
  minus: 256,
  zero: 288,
  integer: 320,
  point: 352,
  fraction: 384,
  exponent: 416,
  exponentSign: 448,
  exponentDigits: 480,
  true1: 512,
  true2: 544,
  true3: 576,
  false1: 608,
  false2: 640,
  false3: 672,
  false4: 704,
  null1: 736,
  null2: 768,
  null3: 800,
  escape: 832,
  hex1: 864,
  hex2: 896,
  hex3: 928,
  hex4: 960,
  keyEscape: 992,
  keyHex1: 1024,
  keyHex2: 1056,
  keyHex3: 1088,
  keyHex4: 1120,
  string: 1152,
  keyString: 1184,
} as const;

/** Table entries that are not states. */
export const ACTION = {
  fail: 16384,
  openObject: 16385,
  openArray: 16386,
  closeObject: 16387,
  closeArray: 16388,
  keyStart: 16389,
  keyEnd: 16390,
  stringStart: 16391,
  scalarStart: 16392,
  /** The byte is the last of a string or literal. */
  valueEnd: 16393,
  /** The byte is the first after a number. */
  numberEnd: 16394,
} as const;

/** States from this on are inside a string; a number of its own, as it is faster to compare. */
export const FIRST_STRING_STATE = 1152;

/** Bits of a row that are the state; the others are the mode. */
export const STATE_MASK = 2047;

/** Set in table entries that enter a string state. */
export const STRING_FLAG = 8192;

/** Table entries from this on are actions. */
export const FIRST_ACTION = 16384;

/** Entries in one state's row of `TRANSITIONS`, and the distance between two states. */
const ROW = 32;

/**
 * Offset of each mode's part of `TRANSITIONS`: values are reported, or lie in an object, in an
 * array.
 */
export const MODE = { watched: 0, object: 2048, array: 4096 } as const;

type Mode = (typeof MODE)[keyof typeof MODE];

const CLASS = {
  other: 0,
  control: 1,
  space: 2,
  lineSpace: 3,
  quote: 4,
  backslash: 5,
  slash: 6,
  openBrace: 7,
  closeBrace: 8,
  openBracket: 9,
  closeBracket: 10,
  comma: 11,
  colon: 12,
  minus: 13,
  plus: 14,
  dot: 15,
  zero: 16,
  digit: 17,
  a: 18,
  b: 19,
  e: 20,
  f: 21,
  l: 22,
  n: 23,
  r: 24,
  s: 25,
  t: 26,
  u: 27,
  capitalE: 28,
  hex: 29,
} as const;

type ByteClass = (typeof CLASS)[keyof typeof CLASS];

const CLASS_BYTES: readonly (readonly [bytes: string, byteClass: ByteClass])[] = [
  [' ', CLASS.space],
  ['\t\n\r', CLASS.lineSpace],
  ['"', CLASS.quote],
  ['\\', CLASS.backslash],
  ['/', CLASS.slash],
  ['{', CLASS.openBrace],
  ['}', CLASS.closeBrace],
  ['[', CLASS.openBracket],
  [']', CLASS.closeBracket],
  [',', CLASS.comma],
  [':', CLASS.colon],
  ['-', CLASS.minus],
  ['+', CLASS.plus],
  ['.', CLASS.dot],
  ['0', CLASS.zero],
  ['123456789', CLASS.digit],
  ['a', CLASS.a],
  ['b', CLASS.b],
  ['e', CLASS.e],
  ['f', CLASS.f],
  ['l', CLASS.l],
  ['n', CLASS.n],
  ['r', CLASS.r],
  ['s', CLASS.s],
  ['t', CLASS.t],
  ['u', CLASS.u],
  ['E', CLASS.capitalE],
  ['cdABCDF', CLASS.hex],
];

const SPACES: readonly ByteClass[] = [CLASS.space, CLASS.lineSpace];
const DIGITS: readonly ByteClass[] = [CLASS.zero, CLASS.digit];
const SCALAR_STARTS: readonly (readonly [byteClass: ByteClass, state: number])[] = [
  [CLASS.minus, STATE.minus],
  [CLASS.zero, STATE.zero],
  [CLASS.digit, STATE.integer],
  [CLASS.t, STATE.true1],
  [CLASS.f, STATE.false1],
  [CLASS.n, STATE.null1],
];

/** Class of every byte. */
export const CLASSES: Uint8Array = buildClasses();

/**
 * At `row | class`, where a row is `mode | state`: the next row, the next row with `STRING_FLAG`,
 * or an action.
 */
export const TRANSITIONS: Uint16Array = buildTransitions();

/** First state of a number or literal by the class of its first byte. */
export const SCALAR_STATES: Uint16Array = buildScalarStates();

function buildClasses(): Uint8Array {
  const classes = new Uint8Array(256).fill(CLASS.other);
  classes.fill(CLASS.control, 0, 0x20);
  const assign = (bytes: string, byteClass: ByteClass): void => {
    for (const byte of Buffer.from(bytes, 'latin1')) classes[byte] = byteClass;
  };
  for (const [bytes, byteClass] of CLASS_BYTES) assign(bytes, byteClass);
  return classes;
}

type SetTransition = (state: number, classes: readonly ByteClass[], next: number) => void;

function buildTransitions(): Uint16Array {
  const table = new Uint16Array(6144).fill(ACTION.fail);
  for (const mode of Object.values(MODE)) {
    const set: SetTransition = (state, classes, next) => {
      for (const byteClass of classes) table[mode | state | byteClass] = entryFor(mode, next);
    };
    addStructure(set);
    addValueStarts(set, mode);
    addKeys(set, mode);
    addStrings(set, mode);
    addNumbers(set);
    addNumberEnds(set, mode);
    addLiterals(set, mode);
  }
  return table;
}

function entryFor(mode: Mode, next: number): number {
  if (next >= FIRST_ACTION) return next;
  return mode | next | (next >= FIRST_STRING_STATE ? STRING_FLAG : 0);
}

/** What follows a whole value: the sink hears of it, or the state is known from the container. */
function afterValue(mode: Mode): number {
  if (mode === MODE.watched) return ACTION.valueEnd;
  return mode === MODE.object ? STATE.objectAfter : STATE.arrayAfter;
}

function addStructure(set: SetTransition): void {
  for (let state = STATE.value as number; state <= STATE.done; state += ROW)
    set(state, SPACES, state);
  set(STATE.arrayFirst, [CLASS.closeBracket], ACTION.closeArray);
  set(STATE.objectFirst, [CLASS.closeBrace], ACTION.closeObject);
  set(STATE.colon, [CLASS.colon], STATE.value);
  set(STATE.objectAfter, [CLASS.comma], STATE.key);
  set(STATE.objectAfter, [CLASS.closeBrace], ACTION.closeObject);
  set(STATE.arrayAfter, [CLASS.comma], STATE.value);
  set(STATE.arrayAfter, [CLASS.closeBracket], ACTION.closeArray);
}

function addValueStarts(set: SetTransition, mode: Mode): void {
  for (const state of [STATE.value, STATE.arrayFirst]) {
    set(state, [CLASS.openBrace], ACTION.openObject);
    set(state, [CLASS.openBracket], ACTION.openArray);
    set(state, [CLASS.quote], mode === MODE.watched ? ACTION.stringStart : STATE.string);
    for (const [byteClass, next] of SCALAR_STARTS) {
      set(state, [byteClass], mode === MODE.watched ? ACTION.scalarStart : next);
    }
  }
}

function addKeys(set: SetTransition, mode: Mode): void {
  const next = mode === MODE.watched ? ACTION.keyStart : STATE.keyString;
  set(STATE.objectFirst, [CLASS.quote], next);
  set(STATE.key, [CLASS.quote], next);
}

function addStrings(set: SetTransition, mode: Mode): void {
  const keyEnd = mode === MODE.watched ? ACTION.keyEnd : STATE.colon;
  addString(set, [STATE.string, STATE.escape, STATE.hex1], afterValue(mode));
  addString(set, [STATE.keyString, STATE.keyEscape, STATE.keyHex1], keyEnd);
}

function addString(
  set: SetTransition,
  states: readonly [body: number, escape: number, hex: number],
  end: number,
): void {
  const [body, escape, hex] = states;
  set(body, Object.values(CLASS), body);
  set(body, [CLASS.control, CLASS.lineSpace], ACTION.fail);
  set(body, [CLASS.quote], end);
  set(body, [CLASS.backslash], escape);
  set(escape, [CLASS.quote, CLASS.backslash, CLASS.slash], body);
  set(escape, [CLASS.b, CLASS.f, CLASS.n, CLASS.r, CLASS.t], body);
  set(escape, [CLASS.u], hex);
  const hexDigits = [...DIGITS, CLASS.a, CLASS.b, CLASS.e, CLASS.f, CLASS.capitalE, CLASS.hex];
  for (let digit = 0; digit < 4; digit++) {
    set(hex + digit * ROW, hexDigits, digit < 3 ? hex + (digit + 1) * ROW : body);
  }
}

function addNumbers(set: SetTransition): void {
  set(STATE.minus, [CLASS.zero], STATE.zero);
  set(STATE.minus, [CLASS.digit], STATE.integer);
  set(STATE.integer, DIGITS, STATE.integer);
  set(STATE.zero, [CLASS.dot], STATE.point);
  set(STATE.integer, [CLASS.dot], STATE.point);
  set(STATE.point, DIGITS, STATE.fraction);
  set(STATE.fraction, DIGITS, STATE.fraction);
  for (const state of [STATE.zero, STATE.integer, STATE.fraction]) {
    set(state, [CLASS.e, CLASS.capitalE], STATE.exponent);
  }
  set(STATE.exponent, [CLASS.plus, CLASS.minus], STATE.exponentSign);
  for (const state of [STATE.exponent, STATE.exponentSign, STATE.exponentDigits]) {
    set(state, DIGITS, STATE.exponentDigits);
  }
}

function addNumberEnds(set: SetTransition, mode: Mode): void {
  for (const state of [STATE.zero, STATE.integer, STATE.fraction, STATE.exponentDigits]) {
    if (mode === MODE.watched) {
      const ends = [...SPACES, CLASS.comma, CLASS.closeBrace, CLASS.closeBracket];
      set(state, ends, ACTION.numberEnd);
    } else {
      set(state, SPACES, afterValue(mode));
      set(state, [CLASS.comma], mode === MODE.object ? STATE.key : STATE.value);
      if (mode === MODE.object) set(state, [CLASS.closeBrace], ACTION.closeObject);
      else set(state, [CLASS.closeBracket], ACTION.closeArray);
    }
  }
}

function addLiterals(set: SetTransition, mode: Mode): void {
  set(STATE.true1, [CLASS.r], STATE.true2);
  set(STATE.true2, [CLASS.u], STATE.true3);
  set(STATE.true3, [CLASS.e], afterValue(mode));
  set(STATE.false1, [CLASS.a], STATE.false2);
  set(STATE.false2, [CLASS.l], STATE.false3);
  set(STATE.false3, [CLASS.s], STATE.false4);
  set(STATE.false4, [CLASS.e], afterValue(mode));
  set(STATE.null1, [CLASS.u], STATE.null2);
  set(STATE.null2, [CLASS.l], STATE.null3);
  set(STATE.null3, [CLASS.l], afterValue(mode));
}

function buildScalarStates(): Uint16Array {
  const states = new Uint16Array(ROW);
  for (const [byteClass, state] of SCALAR_STARTS) states[byteClass] = state;
  return states;
}
