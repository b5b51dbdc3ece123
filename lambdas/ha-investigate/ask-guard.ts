/** The guard's own word by SSM, a path that shares nothing with the heartbeats: it alone can say that its deadline stands. */
import { askLimitMs } from '../../core/investigation/limits.ts';
import { poweredSession } from '../../core/recovery/power-off.ts';
import { loadClusterRecord, loadDefinition } from '../shared/cluster.ts';
import { type Investigate, unknown, within } from './found.ts';

export const askGuard: Investigate = async (ports, { host, session, work }) => {
  const record = await loadClusterRecord(ports, work.cluster);
  const definition = await loadDefinition(ports, work.cluster, record.rev, record.incarnation);
  const defined = definition.hosts.find(({ name }) => name === host.host);
  const machine = poweredSession(host, session)?.machine ?? host.seen?.machine ?? defined?.instanceId;
  if (defined?.instanceId === undefined || machine === undefined)
    return unknown('SSM does not reach it: it is no EC2 instance');
  const limitMs = askLimitMs(definition.timing);
  const check = await within(ports, limitMs, ports.guardAsk.check(machine));
  if (check === null) return unknown(`its guard did not answer by SSM within ${limitMs} ms`);
  if (check.outcome === 'unknown') return unknown(`its guard did not answer by SSM: ${check.says}`);
  const { session: held, stands, running } = check;
  const facts = { session: held, stands, running };
  if (held !== session)
    return unknown(`its guard holds ${held === null ? 'no session' : `another session, ${held}`}`, facts);
  if (!stands) return unknown('its guard says that the deadline of this session has passed', facts);
  return {
    answer: 'alive',
    facts,
    says: `its guard says that this session stands${running.length === 0 ? '' : ` and runs ${running.join(', ')}`}`,
  };
};
