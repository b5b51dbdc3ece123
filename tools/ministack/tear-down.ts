/** The end: what may be replaced goes, what is known stays, and services run on without anybody to look after them. */
import { setTimeout as delay } from 'node:timers/promises';
import { livesOf } from '../../bench/failover/measure.ts';
import { messageOf } from '../../core/failures/failures.ts';
import { type Passed, Wrong } from './checks.ts';
import { STACKS } from './deployed.ts';
import type { System } from './system.ts';

/** Leases that pass after the control plane is gone. */
const LEASES = 2;

export async function tearDown(system: System, assembly: string): Promise<Passed> {
  const { cdk, cloud, deployed, harness } = system;
  const outcome = await harness.untilSettled();
  if ('missing' in outcome) throw new Wrong(outcome.missing);
  await cdk.destroy(assembly, STACKS.observability);
  await cdk.destroy(assembly, STACKS.control);
  const left = (await cloud.stacks()).flatMap(({ StackName, StackStatus }) =>
    StackStatus === 'DELETE_COMPLETE' ? [] : [StackName ?? ''],
  );
  const wrong = [STACKS.observability, STACKS.control]
    .filter((stack) => left.includes(stack))
    .map((stack) => `${stack} is still there`);

  const refusal = await cdk.destroy(assembly, STACKS.state).then(
    () => 'it was destroyed',
    (error: unknown) => messageOf(error),
  );
  if (!/TerminationProtection/i.test(refusal)) wrong.push(`destroying ${STACKS.state} was not refused: ${refusal}`);
  const kept = [await cloud.items(deployed.tables.heartbeats), await cloud.items(deployed.tables.registry)];
  if (kept.includes(0)) wrong.push(`the tables hold ${kept.join(' and ')} items`);
  wrong.push(...(await runsOn(system)));
  if (wrong.length > 0) throw new Wrong(wrong);
  return {
    says: `control and observability are gone, the state stack refused to go (${kept.join(' and ')} items), services run on`,
  };
}

/** A lease is renewed at the table alone. */
async function runsOn({ harness }: System): Promise<string[]> {
  const from = await harness.witness.mark('the control plane is gone');
  await delay(harness.definition.timing.takerWaitMs * LEASES);
  const to = await harness.witness.mark('two leases later');
  const ended = livesOf(harness.log.read()).filter(({ closedAt }) => closedAt > from && closedAt <= to);
  return ended.map(({ slot, service, host }) => `${slot} ${service} on ${host} ended without a control plane`);
}
