/** `/local/…`: what only a system on one machine has. A page from here learns the token; others do not. */
import type { IncomingMessage } from 'node:http';
import { HaError } from '../../core/failures/failures.ts';
import { causeFault, parseFault, type ControlSwitch } from '../fleet/faults.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { parseJson, readBody, requireToken } from '../http.ts';

const BREAK_BYTES_MAX = 4_096;

/** Browsers say where a request comes from; only their own user and the page itself are meant. Others send no such header. */
const SITES_MEANT: readonly (string | undefined)[] = [undefined, 'same-origin', 'none'];

export interface LocalParts {
  readonly cluster: string;
  readonly token: string;
  readonly fleet: Fleet;
  readonly control: ControlSwitch;
}

/** The answer's body. */
export async function localRoute(parts: LocalParts, request: IncomingMessage, path: string): Promise<object> {
  const site = request.headers['sec-fetch-site'];
  if (Array.isArray(site) || !SITES_MEANT.includes(site)) {
    throw new HaError('forbidden', 'only the console itself, or a program on this machine, may ask for this');
  }
  switch (`${request.method ?? ''} ${path}`) {
    case 'GET /local/session':
      return { token: parts.token, local: true, cluster: parts.cluster };
    case 'GET /local/instances':
      requireToken(request, parts.token);
      return { instances: parts.fleet.instances() };
    case 'POST /local/break': {
      requireToken(request, parts.token);
      const fault = parseFault(parseJson(await readBody(request, BREAK_BYTES_MAX)));
      return { ...fault, ...(await causeFault(fault, parts.fleet, parts.control)) };
    }
    default: {
      const known = 'GET /local/session, GET /local/instances and POST /local/break';
      throw new HaError('not_found', `no ${request.method ?? ''} ${path.slice(0, 200)}; there are ${known}`);
    }
  }
}
