/** Do the applications that the host owns answer where their users reach them? Who answers there, a probe cannot say. */
import { askLimitMs } from '../../core/investigation/limits.ts';
import { loadCluster } from '../shared/cluster.ts';
import { waitingSlots } from '../shared/findings.ts';
import { type Investigate, unknown, within } from './found.ts';

/** A host that owns more groups with a probe is judged by the first of them. */
const PROBES_MAX = 16;

export const askProbe: Investigate = async (ports, { host, session, work }) => {
  const facts = await loadCluster(ports, work.cluster);
  const owned = new Set(waitingSlots(facts, { host, session }).map(({ group }) => group));
  const targets = facts.groups.flatMap((group) => {
    const probe = owned.has(group.group) ? facts.specOf(group)?.probe : undefined;
    return probe === undefined ? [] : [{ group: group.group, probe }];
  });
  if (targets.length === 0) return unknown('no group that it owns has a probe');
  const limitMs = askLimitMs(facts.definition.timing);
  const answers = await Promise.all(
    targets.slice(0, PROBES_MAX).map(async ({ group, probe }) => {
      const asked = ports.probe.ask(probe, limitMs).catch(() => 'silent' as const);
      return { group, outcome: (await within(ports, limitMs, asked)) ?? 'silent' };
    }),
  );
  const answered = answers.filter(({ outcome }) => outcome === 'answered').map(({ group }) => group);
  const told = Object.fromEntries(answers.map(({ group, outcome }) => [group, outcome]));
  if (answered.length === 0) return unknown(`${targets.map(({ group }) => group).join(', ')}: silent`, told);
  return { answer: 'alive', facts: told, says: `${answered.join(', ')}: something answers there` };
};
