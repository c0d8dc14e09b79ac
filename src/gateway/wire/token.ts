/** Source of a pattern for a token, such as a field's name (RFC 9110 section 5.6.2). */
export const TOKEN_SOURCE = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";

const TOKEN_PATTERN = new RegExp(`^${TOKEN_SOURCE}$`);

/** Whether a text is a token. */
export function isToken(text: string): boolean {
  return TOKEN_PATTERN.test(text);
}
