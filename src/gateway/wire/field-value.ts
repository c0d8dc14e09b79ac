const TAB = 0x09;
const SPACE = 0x20;

/** Fields of a head at most. Peers send a dozen; whoever sends hundreds wants to be expensive. */
export const FIELD_COUNT_MAX = 256;

/**
 * The value between two places without white space around it. `trim` would not do: it also takes
 * no-break spaces, which belong to the value.
 */
export function sliceTrimmed(text: string, start: number, end: number): string {
  let from = start;
  let to = end;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

/** Whether there is a tab behind a value, be there spaces behind it. */
export function endsInTab(written: string): boolean {
  let at = written.length - 1;
  while (written.charCodeAt(at) === SPACE) at -= 1;
  return written.charCodeAt(at) === TAB;
}

/** Values of several fields of one name, as one (RFC 9110 section 5.2). '' stands for none. */
export function joinValues(before: string, value: string): string {
  return before === '' ? value : `${before}, ${value}`;
}

/** Members of a list without the white space around them. */
export function membersOf(list: string): string[] {
  return list.split(',').map((member) => member.trim());
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
