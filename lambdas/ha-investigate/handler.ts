/** Investigators answer `alive | dead(evidence) | unknown`, each in a branch of its own; the verdict weighs what they said. */
import * as z from 'zod';
import { type Answer, INVESTIGATORS, type Investigator } from '../../core/investigation/answers.ts';
import { type Verdict, verdictOf } from '../../core/investigation/verdict.ts';
import { unreachable } from '../../core/failures/invariant.ts';
import { type HostRecord, keys, REVOKED_PREFIX } from '../../core/protocol/records.ts';
import { standingOrder } from '../../core/recovery/fencing.ts';
import { wallInstant } from '../../core/time/time.ts';
import { edge, type Handler, runName } from '../shared/edge.ts';
import { isNewest, setHostStatus } from '../shared/host-status.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { readReport } from '../shared/reports.ts';
import { readRun, recordStep } from '../shared/run-log.ts';
import { Work } from '../shared/work.ts';
import { askEc2 } from './ask-ec2.ts';
import { askGuard } from './ask-guard.ts';
import { askProbe } from './ask-probe.ts';
import { type Found, type Investigate, unknown } from './found.ts';

const moment = z.number().transform(wallInstant);

/** Made by another call of this Lambda, maybe of another version (S19). */
const AnswerSchema = z.object({
  investigator: z.enum(INVESTIGATORS),
  answer: z.enum(['alive', 'dead', 'unknown']),
  evidence: z.enum(['released', 'closed', 'successor', 'power-off', 'lease-over', 'witnessed']).optional(),
  askedAtMs: moment,
  answeredAtMs: moment,
  facts: z.record(z.string(), z.unknown()),
  says: z.string(),
});

/** Each in a branch of its own. */
const ASKED = ['heartbeat', 'registry', 'ec2', 'ssm', 'probe'] as const satisfies readonly Investigator[];
type Asked = (typeof ASKED)[number];

const InvestigateEvent = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('ask'), investigator: z.enum(ASKED), run: runName, work: Work }),
  z.strictObject({ step: z.literal('verdict'), run: runName, work: Work, answers: z.array(AnswerSchema).max(20) }),
]);

export function haInvestigate(ports: ControlPorts): Handler<Answer | Work> {
  return edge(ports, InvestigateEvent, async (event): Promise<Answer | Work> => {
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

const INVESTIGATE: Readonly<Record<Asked, Investigate>> = {
  heartbeat: askHeartbeat,
  registry: askRegistry,
  ec2: askEc2,
  ssm: askGuard,
  probe: askProbe,
};

/** What the step is called in the record of a run, as its state is in the workflow. */
const STEP: Readonly<Record<Asked, string>> = {
  heartbeat: 'Ask heartbeat',
  registry: 'Ask registry',
  ec2: 'Ask EC2',
  ssm: 'Ask guard',
  probe: 'Ask probe',
};

async function ask(ports: ControlPorts, run: string, work: Work, investigator: Asked): Promise<Answer> {
  const askedAtMs = ports.wall.now();
  const host = (await ports.registry.get<HostRecord>(keys.host(work.cluster, work.host ?? '')))?.body;
  const found: Found =
    host === undefined || work.session === null
      ? unknown('the host is no longer defined')
      : await INVESTIGATE[investigator](ports, { run, host, session: work.session, work });
  const answer: Answer = { investigator, askedAtMs, answeredAtMs: ports.wall.now(), ...found };
  const says = `${answer.answer}: ${answer.says}`;
  await recordStep(ports, run, STEP[investigator], says, { ...found.facts }, askedAtMs);
  return answer;
}

/** The host's own item, read strongly: a higher version means life, a newer session the end of this one. */
async function askHeartbeat(ports: ControlPorts, { host, work }: Parameters<Investigate>[1]): Promise<Found> {
  const item = await ports.heartbeats.read(host.principal);
  if (item === undefined)
    return { answer: 'unknown', facts: {}, says: 'there is no heartbeat item: an outage or a deletion' };
  const facts = { session: item.session, seq: item.seq };
  if (item.session === work.session) {
    if (item.seq > work.seq)
      return { answer: 'alive', facts, says: `it has renewed: version ${item.seq} after ${work.seq}` };
    return { answer: 'unknown', facts, says: `it has not renewed: version ${item.seq} is still its last` };
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

async function askRegistry(ports: ControlPorts, { host, work }: Parameters<Investigate>[1]): Promise<Found> {
  const order = `closed.${work.session ?? ''}`;
  const report = await readReport(ports, host.principal, order);
  if (report !== undefined)
    return {
      answer: 'dead',
      evidence: 'closed',
      facts: { report },
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
  const [record, stored] = await Promise.all([
    readRun(ports, run),
    ports.registry.get<HostRecord>(keys.host(work.cluster, work.host ?? '')),
  ]);
  const host = stored?.body;
  if (host === undefined || record === undefined)
    return { ...work, next: 'Hold', says: `${work.host ?? 'the host'} is no longer defined` };
  const item = await ports.heartbeats.read(host.principal);
  const sameSession = item?.session === work.session;
  const judged = verdictOf({
    answers,
    openedAtMs: record.openedAtMs,
    holdInForce: false, // No hold can be in force without a peer mesh (S10).
    storm: false, // The brake (S14) is asked right before each destructive call; a revocation on exact silence destroys nothing.
    sameSession,
    renewed: sameSession && (item?.seq ?? 0) > work.seq,
  });
  const order = standingOrder(host, work.session, startedAt);
  const isOrdered = order !== null && judged.verdict !== 'certain';
  const says = isOrdered ? `${order.by} ordered it to be powered off, whatever it answers` : judged.says;
  const isOurs = isOrdered || judged.verdict === 'wait' || judged.verdict === 'certain';
  await Promise.all([
    recordStep(ports, run, 'Verdict', says, { verdict: judged.verdict }, startedAt),
    isOurs && isNewest(host, work.session)
      ? setHostStatus(ports, work.cluster, host.host, { type: 'run_opened' }, says)
      : null,
  ]);
  const powerFence = isOrdered || (judged.verdict === 'wait' && judged.powerFenceAllowed);
  return { ...work, powerFence, next: isOrdered ? 'Wait' : NEXT[judged.verdict], says };
}
