import { membersOf } from './field-value.ts';

/**
 * Whether a connection may carry another message afterwards (RFC 9112 section 9.3). `connection` is
 * all Connection fields in lower case, joined by commas; '' without one.
 */
export function staysOpen(connection: string, version: { readonly isHttp11: boolean }): boolean {
  if (connection === '') return version.isHttp11;
  if (connection === 'keep-alive') return true;
  const members = membersOf(connection);
  return !members.includes('close') && (version.isHttp11 || members.includes('keep-alive'));
}

/**
 * Fields that Connection names, which are for this connection only (RFC 9110 section 7.6.1); null
 * when it says what it mostly says. `connection` as above.
 */
export function fieldsNamedBy(connection: string): ReadonlySet<string> | null {
  if (connection === '' || connection === 'keep-alive' || connection === 'close') return null;
  return new Set(membersOf(connection));
}
