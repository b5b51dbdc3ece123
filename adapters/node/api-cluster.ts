/** `?cluster=NAME` on the routes that take it: an API that is deployed once per account holds many clusters. */
import type { ApiAddress } from './api-request.ts';

/** A definition names its cluster itself, a run's name is one of its own, and the document is of all. */
const WITHOUT = [/^\/api\/v1\/runs\/[^/]+$/, /^\/api\/v1\/openapi\.json$/];

export function ofCluster({ cluster }: Pick<ApiAddress, 'cluster'>, path: string, method = 'GET'): string {
  if (cluster === undefined || !takesCluster(path, method)) return path;
  const [where = '', query] = path.split('?', 2);
  if (new URLSearchParams(query).has('cluster')) return path;
  return `${where}?${query === undefined || query === '' ? '' : `${query}&`}cluster=${encodeURIComponent(cluster)}`;
}

export function takesCluster(path: string, method: string): boolean {
  const [where = ''] = path.split('?', 1);
  if (!where.startsWith('/api/v1/') || WITHOUT.some((pattern) => pattern.test(where))) return false;
  return !(method === 'POST' && where === '/api/v1/definition');
}
