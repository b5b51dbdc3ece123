/**
 * Whether this machine may register now, and over what (S1).
 *
 * A registration names the exact session value that was read, so that a late one can never replace a newer one. A live
 * session gives way only to the same machine: after a reboot, or to a guard that can name the old guard's session.
 */
import { type Heartbeat, REVOKED_PREFIX } from '../protocol/records.ts';

export type RegistrationMove =
  | { readonly do: 'register'; readonly expected: string | null }
  /** The answer to an earlier attempt was lost; it stands. */
  | { readonly do: 'stands' }
  | { readonly do: 'wait'; readonly why: string };

export function registrationMove(
  found: Heartbeat | undefined,
  self: {
    readonly session: string;
    readonly machine: string;
    readonly bootId: string;
    readonly handover: readonly string[];
  },
): RegistrationMove {
  if (found === undefined) return { do: 'register', expected: null };
  if (found.session === self.session) return { do: 'stands' };
  if (found.session.startsWith(REVOKED_PREFIX)) return { do: 'register', expected: found.session };
  if (found.machine !== self.machine) {
    return { do: 'wait', why: `machine ${found.machine} holds this host's session; two machines with one identity?` };
  }
  if (found.bootId !== self.bootId || self.handover.includes(found.session)) {
    return { do: 'register', expected: found.session };
  }
  return { do: 'wait', why: `another guard of this boot holds session ${found.session}` };
}
