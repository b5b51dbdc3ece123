/** Looks again at what is held: a storm that has passed, calls that nobody waits for, and what a person was told of (I11). */
import { BRAKE_LIMITS } from '../../core/config/brake-limits.ts';
import { calmed } from '../../core/recovery/budget.ts';
import { isWellAgain } from '../../core/recovery/well.ts';
import type { BrakeRecord } from '../../core/protocol/brake-records.ts';
import { keys } from '../../core/protocol/records.ts';
import { changeRecord } from '../shared/change.ts';
import { type ClusterFacts, liveSession } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { forgetTold, STORM_SUBJECT } from '../shared/tell.ts';

export async function calm(ports: ControlPorts, facts: ClusterFacts): Promise<void> {
  const { cluster } = facts.record;
  const limits = BRAKE_LIMITS[facts.definition.timing.profile];
  let before: BrakeRecord | undefined;
  const { body, isChanged } = await changeRecord<BrakeRecord>(ports.registry, keys.budget(cluster), (old) => {
    before = old;
    if (old === undefined) return null;
    const next = calmed(old, facts.hosts, limits, ports.wall.now());
    return next === old ? null : next;
  });
  if (isChanged && before?.storm && body?.storm === null) {
    const says = `the storm has passed: ${before.storm.says}`;
    await recordEvent(ports, cluster, { kind: 'brake.calm', subject: cluster, says, run: null, by: 'reconcile' });
  }
  const isWell = isWellAgain({
    hosts: facts.hosts,
    groups: facts.groups,
    heartbeatOf: (principal) => facts.heartbeats.get(principal),
    liveSessionOf: (principal) => liveSession(facts, principal),
  });
  await forgetTold(ports, cluster, (subject) =>
    subject === STORM_SUBJECT ? (body?.storm ?? null) === null : isWell(subject),
  );
}
