/**
 * The same Latin-1 text in memory of its own: a slice would keep the whole text it was cut from.
 */
export function copyText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
