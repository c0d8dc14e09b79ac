/** Longest boundary of RFC 2046, 5.1.1. */
const MAX_BOUNDARY_BYTES = 70;
const BOUNDARY = /;\s*boundary=(?:"([^"]*)"|([^;,\s"]+))/i;
const DISPOSITION = /^content-disposition:\s*form-data\s*(;.*)$/i;
const NAME = /;\s*name=(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i;

/**
 * The boundary of a multipart/form-data content type; null when it has none that RFC 2046 allows.
 */
export function parseBoundary(contentType: string): string | null {
  const match = BOUNDARY.exec(contentType);
  const boundary = match?.[1] ?? match?.[2] ?? '';
  return boundary !== '' && boundary.length <= MAX_BOUNDARY_BYTES ? boundary : null;
}

/** The field name in a part's headers (lines ended by CRLF); null when there is none. */
export function parsePartName(headers: string): string | null {
  for (const line of headers.split('\r\n')) {
    const parameters = DISPOSITION.exec(line)?.[1];
    if (parameters === undefined) continue;
    const match = NAME.exec(parameters);
    const name = match?.[1] ?? match?.[2];
    return name === undefined ? null : name.replaceAll(/\\(.)/g, '$1');
  }
  return null;
}
