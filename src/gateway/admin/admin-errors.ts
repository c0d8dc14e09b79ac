/** Codes of the admin API's own errors. */
export type AdminErrorCode =
  | 'invalid_query'
  | 'invalid_id'
  | 'host_not_allowed'
  | 'cross_origin'
  | 'not_explained'
  | 'not_found'
  | 'endpoint_not_found'
  | 'decision_not_found'
  | 'method_not_allowed'
  | 'body_too_large'
  | 'internal'
  | 'too_many_followers';

/** What an error of the admin API means. */
export interface AdminErrorDefinition {
  /** HTTP status of the answer. */
  readonly status: number;
  /** When it happens and the way out; shown in docs/reference/admin-api.md. */
  readonly summary: string;
}

function define(status: number, summary: string): AdminErrorDefinition {
  return { status, summary };
}

/** Every error of the admin API, whose body is `{"error": {"code", "message"}}`. */
export const ADMIN_ERRORS: Readonly<Record<AdminErrorCode, AdminErrorDefinition>> = Object.freeze({
  invalid_query: define(400, 'A query parameter has an impossible value; the message names it.'),
  invalid_id: define(400, 'The id in the path is not valid percent-encoded UTF-8.'),
  host_not_allowed: define(
    403,
    'The Host header names something the admin server does not listen on, as in DNS rebinding; use the address it printed.',
  ),
  cross_origin: define(
    403,
    'A page of another origin asked for a change; changes are same-origin.',
  ),
  not_explained: define(422, 'The request would not be sent anywhere; the message says why.'),
  not_found: define(404, 'The admin server has no such path; `GET /` lists them.'),
  endpoint_not_found: define(404, 'No endpoint has this id; `GET /api/state` lists them.'),
  decision_not_found: define(404, 'No kept decision has this request id; only the last ones are.'),
  method_not_allowed: define(405, 'The path takes other methods, which the Allow header names.'),
  body_too_large: define(413, 'The request has a body over 64 KiB, or over 8 MiB on /api/explain.'),
  internal: define(500, 'A defect of the gateway; the log has the cause.'),
  too_many_followers: define(503, 'The live stream has 16 followers already; close one.'),
});
