const SPECIAL_IN_LABEL = /[\\"\n]/g;

/** `name="value",…` of the text format; empty without labels. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names
    .map((name, position) => `${name}="${escapeLabelValue(values[position] ?? '')}"`)
    .join(',');
}

/** Backslash, quote and line feed are escaped in label values (text format 0.0.4). */
function escapeLabelValue(value: string): string {
  return value.replace(SPECIAL_IN_LABEL, (found) => (found === '\n' ? '\\n' : `\\${found}`));
}
