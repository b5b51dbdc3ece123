/** Whether a request comes from the page that this proxy serves: loopback alone keeps out other machines, not other pages. */
import type { IncomingMessage } from 'node:http';
import { HaError } from '../../core/failures/failures.ts';

/** Browsers say where a request comes from. Programs send no such header, and need the token as well. */
const SITES_MEANT: readonly (string | undefined)[] = [undefined, 'same-origin', 'none'];

/** A page of another site may resolve its own name to loopback (DNS rebinding); it cannot make the browser lie about that name. */
export function requireOwnName({ headers: { host } }: IncomingMessage, port: number): void {
  if (namesOf(port).includes(host ?? '')) return;
  const got = (host ?? 'nothing').slice(0, 200);
  throw new HaError('forbidden', `this answers to ${namesOf(port).join(' and ')}, not to ${got}`);
}

/** Nobody else's page may ask in the operator's name, not even blindly. */
export function requireOwnPage({ headers }: IncomingMessage, port: number): void {
  const site = headers['sec-fetch-site'];
  const isOwnSite = !Array.isArray(site) && SITES_MEANT.includes(site);
  const { origin } = headers;
  const isOwnOrigin = origin === undefined || namesOf(port).some((name) => origin === `http://${name}`);
  if (isOwnSite && isOwnOrigin) return;
  throw new HaError('forbidden', 'only the console itself, or a program on this machine, may ask for this');
}

function namesOf(port: number): readonly string[] {
  return [`127.0.0.1:${String(port)}`, `localhost:${String(port)}`];
}
