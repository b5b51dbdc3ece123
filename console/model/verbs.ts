/** What an operator may do to a host, in words, and which of it makes sense now. */
import type { HostVerb, HostView } from '../../core/protocol/views.ts';

export interface VerbOffer {
  readonly verb: HostVerb;
  readonly title: string;
  readonly says: string;
  readonly needsReason: boolean;
  /** The host's name has to be typed. */
  readonly needsName: boolean;
  readonly isDangerous: boolean;
}

const VERBS: readonly VerbOffer[] = [
  verb('drain', 'Drain', 'Moves everything away one by one, then keeps the host in maintenance.'),
  verb('maintenance', 'Maintenance', 'Takes the host out for work on it; its slots move away.', 'reason'),
  verb('lock', 'Lock', 'Keeps everything off the host, after checking that nothing depends on it alone.', 'reason'),
  verb('disable', 'Disable', 'Leaves the host alone: nothing new is placed on it.', 'reason'),
  verb('unlock', 'Unlock', 'Lets the host take slots again.'),
  verb('enable', 'Enable', 'Lets the host take part again.'),
  verb('fence', 'Fence', 'Powers the machine off now. What runs on it ends at once.', 'name'),
];

function verb(name: HostVerb, title: string, says: string, needs?: 'reason' | 'name'): VerbOffer {
  return {
    verb: name,
    title,
    says,
    needsReason: needs === 'reason',
    needsName: needs === 'name',
    isDangerous: name === 'fence',
  };
}

/** Those that would change something; the API checks again. */
export function verbsFor(host: Pick<HostView, 'admin'>): readonly VerbOffer[] {
  const useless: readonly HostVerb[] =
    host.admin === 'enabled'
      ? ['enable', 'unlock']
      : host.admin === 'locked'
        ? ['lock', 'enable']
        : host.admin === 'disabled'
          ? ['disable', 'unlock']
          : ['maintenance', 'drain', 'unlock'];
  return VERBS.filter((offer) => !useless.includes(offer.verb));
}
