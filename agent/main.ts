/** The agent: `--config FILE`, started by the guard. Beats, obeys its assignment, supervises services. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { createDynamo, hostLimits } from '../adapters/aws/dynamodb-client.ts';
import { dynamoOwnHeartbeat } from '../adapters/aws/dynamodb-own-heartbeat.ts';
import { dynamoRegistry } from '../adapters/aws/dynamodb-registry.ts';
import { bootClock } from '../adapters/node/boot-clock.ts';
import { fileStore } from '../adapters/node/file-store.ts';
import { type HostConfig, readHostConfig } from '../adapters/node/host-config.ts';
import type { BootClock } from '../core/ports.ts';
import type { Beat } from '../core/protocol/records.ts';
import { type Assignments, createAssignments } from './assignments.ts';
import { type GuardLink, guardLink } from './guard-link.ts';
import { closeOrder, createReports, type Reports } from './reports.ts';
import { createSessionLoop, type SessionLoop } from './session-loop.ts';
import { createSupervisors, type Supervisors } from './services/slots.ts';

/** One call to the registry; renewals have their own cap r. */
const CALL_MS = 2_000;
const DRAIN_MS = 30_000;

function log(level: 'info' | 'warn' | 'error', text: string, facts?: object): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, who: 'agent', text, ...facts })}\n`);
}

function placeOf(config: HostConfig): Parameters<typeof createDynamo>[0] {
  const { region, endpoint, accessKeyId, secretAccessKey } = config;
  if (accessKeyId === undefined || secretAccessKey === undefined) return { region, endpoint };
  return { region, endpoint, credentials: { accessKeyId, secretAccessKey } };
}

interface Parts {
  readonly link: GuardLink;
  readonly reports: Reports;
  readonly supervisors: Supervisors;
  readonly sessions: SessionLoop;
}

function main(): void {
  const configFile = parseArgs({ options: { config: { type: 'string' } } }).values.config;
  if (configFile === undefined) throw new Error('usage: agent --config FILE');
  const config = readHostConfig(configFile);
  mkdirSync(config.stateDir, { recursive: true });
  const clock = bootClock();
  const dynamo = createDynamo(placeOf(config), hostLimits(CALL_MS));
  const { principal } = config;
  const own = dynamoOwnHeartbeat({ dynamo, table: config.tables.heartbeats, principal });
  const registry = dynamoRegistry({ dynamo, table: config.tables.registry });
  const link = guardLink(clock);
  const reports = createReports({ registry, principal, log });
  const supervisors = createServices(config, clock, link, reports);
  const assignments = createAssignments({
    registry,
    principal,
    self: { cluster: config.cluster, host: config.host },
    incarnation: fileStore(join(config.stateDir, 'incarnation.json'), (json) => z.string().parse(json)),
    onAssignment(assignment) {
      for (const order of assignment.orders) supervisors.obey(order);
      supervisors.keepOnly(assignment.orders);
      reports.keepOnly(new Set(assignment.orders.map((order) => order.id)));
    },
    log,
  });
  const beat = (): Beat => beatOf(assignments, supervisors);
  const sessions = createSessionLoop({ config, clock, own, link, assignments, beat, log });
  obeyGuard({ link, reports, supervisors, sessions });
  link.send({ type: 'ready' });
}

function createServices(config: HostConfig, clock: BootClock, link: GuardLink, reports: Reports): Supervisors {
  return createSupervisors({
    ports: {
      now: () => clock.now(),
      leave: (request) => link.leave(request),
      release: (ref) => link.release(ref),
      report: ({ order, outcome, detail }) => {
        const { id, session, group, slot, epoch } = order;
        reports.put({ order: id, session, group, slot, epoch, outcome, detail });
      },
      log,
    },
    hostEnv: { cluster: config.cluster, host: config.host, instanceMark: config.instanceMark, env: {} },
    stateDir: config.stateDir,
    resolveCommand: (argv) => (argv[0] === 'holdfast-sample' ? [...config.sampleCommand, ...argv.slice(1)] : [...argv]),
  });
}

function beatOf(assignments: Assignments, supervisors: Supervisors): Beat {
  const orders = assignments.newest()?.orders ?? [];
  return {
    obeyed: assignments.obeyed(),
    slots: supervisors.reports(),
    lists: Object.fromEntries(orders.map((order) => [`${order.group}/${order.slot}`, order.list.no])),
    sentAtWallMs: Date.now(),
  };
}

function obeyGuard(parts: Parts): void {
  const { link, supervisors, sessions } = parts;
  link.onMessage((message) => {
    sessions.onGuard(message);
    if (message.type === 'stop_covered') {
      const { stop, why } = message;
      link.send({ type: 'stopping', stop });
      void supervisors.stopCovered(why).then(() => link.send({ type: 'stopped', stop }));
    }
    if (message.type === 'resume') supervisors.resume();
    if (message.type === 'drain') void drain(parts);
  });
}

/** `closed` is evidence: said only when everything was released and the guard's own list says so (S7). */
async function drain({ link, reports, supervisors, sessions }: Parts): Promise<void> {
  await supervisors.drain(DRAIN_MS);
  const session = sessions.session();
  if (session !== null && (await link.close(session))) {
    const detail = 'the host was shut down in good order';
    reports.put({ order: closeOrder(session), session, group: '*', slot: 0, epoch: 0, outcome: 'released', detail });
    await reports.flushed(CALL_MS);
  }
  link.send({ type: 'drained' });
}

main();
