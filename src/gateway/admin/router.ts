import type { AdminRoute } from './routes.ts';

/** What a method and path lead to. */
export type RouteMatch =
  | { readonly kind: 'found'; readonly route: AdminRoute; readonly id: string }
  | { readonly kind: 'wrong-method'; readonly allow: string }
  | { readonly kind: 'bad-id' }
  | { readonly kind: 'unknown' };

/** Finds the route of a request; `path` is the target before `?`, still percent-encoded. */
export function matchRoute(
  routes: readonly AdminRoute[],
  method: string,
  path: string,
): RouteMatch {
  const segments = path.split('/');
  // A variable segment must not catch what a fixed path of the same shape answers.
  const first = routes.find((route) => matches(route.path, segments));
  if (first === undefined) return { kind: 'unknown' };
  const onPath = routes.filter((route) => route.path === first.path);
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = onPath.find((one) => one.method === wanted);
  if (route === undefined) return { kind: 'wrong-method', allow: allowOf(onPath) };
  const id = decode(variableOf(route.path, segments));
  return id === null ? { kind: 'bad-id' } : { kind: 'found', route, id };
}

function matches(pattern: string, segments: readonly string[]): boolean {
  const parts = pattern.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, index) =>
      isVariable(part) ? segments[index] !== '' : part === segments[index],
    )
  );
}

function variableOf(pattern: string, segments: readonly string[]): string {
  const position = pattern.split('/').findIndex(isVariable);
  return segments[position] ?? '';
}

function isVariable(part: string): boolean {
  return part.startsWith('{');
}

function allowOf(routes: readonly AdminRoute[]): string {
  return routes.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
