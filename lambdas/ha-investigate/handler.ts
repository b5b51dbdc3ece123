/** Investigators answer `alive | dead(evidence) | unknown`, each in a branch of its own; the verdict weighs what they said. */
import * as z from 'zod';
import { type Answer, INVESTIGATORS } from '../../core/investigation/answers.ts';
import { type Verdict, verdictOf } from '../../core/investigation/verdict.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { type HostRecord, keys, type Report, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import { wallInstant } from '../../core/time/time.ts';
import { edge, type Handler, runName } from '../shared/edge.ts';
import { isNewest, setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readRun, recordStep } from '../shared/run-log.ts';
import { Work } from '../shared/work.ts';

const moment = z.number().transform(wallInstant);

const AnswerSchema = z.strictObject({
  investigator: z.enum(INVESTIGATORS),
  answer: z.enum(['alive', 'dead', 'unknown']),
  evidence: z.enum(['released', 'closed', 'successor', 'power-off', 'lease-over', 'witnessed']).optional(),
  askedAtMs: moment,
  answeredAtMs: moment,
  facts: z.record(z.string(), z.unknown()),
  says: z.string(),
});

const InvestigateEvent = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('ask'), investigator: z.enum(['heartbeat', 'registry']), run: runName, work: Work }),
  z.strictObject({ step: z.literal('verdict'), run: runName, work: Work, answers: z.array(AnswerSchema).max(20) }),
]);

export function haInvestigate(ports: ControlPorts): Handler<Answer | Work> {
  return edge(InvestigateEvent, async (event): Promise<Answer | Work> => {
    switch (event.step) {
      case 'ask':
        return ask(ports, event.run, event.work, event.investigator);
      case 'verdict':
        return verdict(ports, event.run, event.work, event.answers);
      default:
        return unreachable(event);
    }
  });
}

type Found = Pick<Answer, 'answer' | 'evidence' | 'facts' | 'says'>;

async function ask(
  ports: ControlPorts,
  run: string,
  work: Work,
  investigator: 'heartbeat' | 'registry',
): Promise<Answer> {
  const askedAtMs = ports.wall.now();
  const host = (await ports.registry.get<HostRecord>(keys.host(work.cluster, work.host ?? '')))?.body;
  const found: Found =
    host === undefined
      ? { answer: 'unknown', facts: {}, says: 'the host is no longer defined' }
      : investigator === 'heartbeat'
        ? await askHeartbeat(ports, host, work)
        : await askRegistry(ports, host, work);
  const answer: Answer = { investigator, askedAtMs, answeredAtMs: ports.wall.now(), ...found };
  await recordStep(
    ports,
    run,
    `Ask ${investigator}`,
    `${answer.answer}: ${answer.says}`,
    { ...found.facts },
    askedAtMs,
  );
  return answer;
}

/** The host's own item, read strongly: a higher version means life, a newer session the end of this one. */
async function askHeartbeat(ports: ControlPorts, host: HostRecord, work: Work): Promise<Found> {
  const item = await ports.heartbeats.read(host.principal);
  if (item === undefined)
    return { answer: 'unknown', facts: {}, says: 'there is no heartbeat item: an outage or a deletion' };
  const facts = { session: item.session, seq: item.seq };
  if (item.session === work.session) {
    if (item.seq > work.seq)
      return { answer: 'alive', facts, says: `it has renewed: version ${item.seq} after ${work.seq}` };
    return { answer: 'unknown', facts, says: `version ${item.seq} still stands` };
  }
  if (item.session.startsWith(REVOKED_PREFIX))
    return { answer: 'unknown', facts, says: `the session is ${item.session}` };
  return {
    answer: 'dead',
    evidence: 'successor',
    facts,
    says: `the machine registered a newer session, ${item.session}`,
  };
}

async function askRegistry(ports: ControlPorts, host: HostRecord, work: Work): Promise<Found> {
  const order = `closed.${work.session ?? ''}`;
  const report = await ports.registry.get<Report>(keys.report(host.principal, order));
  if (report !== undefined)
    return {
      answer: 'dead',
      evidence: 'closed',
      facts: { report: report.body },
      says: 'the session closed itself in good order',
    };
  return {
    answer: 'unknown',
    facts: { status: host.status, admin: host.admin },
    says: `no word of an orderly end; the host was ${host.status}`,
  };
}

const NEXT: Record<Verdict['verdict'], string> = {
  certain: 'Certain',
  alive: 'Alive',
  disconnected: 'Hold',
  storm: 'Hold',
  wait: 'Wait',
};

async function verdict(ports: ControlPorts, run: string, work: Work, answers: readonly Answer[]): Promise<Work> {
  const startedAt = ports.wall.now();
  const record = await readRun(ports, run);
  const host = (await ports.registry.get<HostRecord>(keys.host(work.cluster, work.host ?? '')))?.body;
  if (host === undefined || record === undefined)
    return { ...work, next: 'Hold', says: `${work.host ?? 'the host'} is no longer defined` };
  const item = await ports.heartbeats.read(host.principal);
  const sameSession = item?.session === work.session;
  const judged = verdictOf({
    answers,
    openedAtMs: record.openedAtMs,
    holdInForce: false, // No hold can be in force without a peer mesh (S10).
    storm: false, // The storm brake (S14) comes with power fencing: a revocation on exact silence destroys nothing by itself.
    sameSession,
    renewed: sameSession && (item?.seq ?? 0) > work.seq,
  });
  await recordStep(ports, run, 'Verdict', judged.says, { verdict: judged.verdict }, startedAt);
  if ((judged.verdict === 'wait' || judged.verdict === 'certain') && isNewest(host, work.session)) {
    await setHostStatus(ports, work.cluster, host.host, { type: 'run_opened' }, judged.says);
  }
  return { ...work, next: NEXT[judged.verdict], says: judged.says };
}
