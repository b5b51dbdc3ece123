/** Asks the hosts that may soon get orders for faster beats, so that a takeover does not wait for the next slow one. */
import { messageOf } from '../../core/failures/failures.ts';
import { candidateHosts } from '../../core/placement/candidates.ts';
import { type ClusterFacts, liveSession } from './cluster.ts';
import type { ControlPorts } from './ports.ts';

/** Each is one write, and some beats: in a large group only the first few are asked, and the others are as quick as ever. */
const HURRIED_HOSTS_MAX = 8;

/** Only ever a matter of speed: a host that could not be asked is left as it is. */
export async function hurryTakers(
  ports: ControlPorts,
  facts: ClusterFacts,
  about: { readonly host: string; readonly groups: readonly string[] },
): Promise<void> {
  const specs = facts.definition.groups.filter((group) => about.groups.includes(group.name));
  const names = new Set(specs.flatMap((spec) => candidateHosts(facts.definition, spec)));
  const live = facts.hosts.filter(
    ({ host, principal }) => host !== about.host && names.has(host) && liveSession(facts, principal) !== null,
  );
  const mark = Math.floor(ports.wall.now());
  await Promise.all(
    live.slice(0, HURRIED_HOSTS_MAX).map(({ host, principal }) =>
      ports.heartbeats.hurry(principal, mark).catch((error: unknown) => {
        ports.log('warn', `${host} could not be asked for faster beats: ${messageOf(error)}`);
      }),
    ),
  );
}
