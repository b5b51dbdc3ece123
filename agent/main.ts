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
import type { Beat } from '../core/protocol/records.ts';
import { createAssignments } from './assignments.ts';
import { guardLink } from './guard-link.ts';
import { createReports } from './reports.ts';
import { createSessionLoop } from './session-loop.ts';
import { createSupervisors } from './services/slots.ts';

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

  const supervisors = createSupervisors({
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

  const beat = (): Beat => ({
    obeyed: assignments.obeyed(),
    slots: supervisors.reports(),
    lists: Object.fromEntries(
      (assignments.newest()?.orders ?? []).map((order) => [`${order.group}/${order.slot}`, order.list.no]),
    ),
    sentAtWallMs: Date.now(),
  });
  const sessions = createSessionLoop({ config, clock, own, link, assignments, beat, log });

  link.onMessage((message) => {
    sessions.onGuard(message);
    if (message.type === 'stop_covered') {
      link.send({ type: 'stopping' });
      void supervisors.stopCovered(message.why).then(() => link.send({ type: 'stopped' }));
    }
    if (message.type === 'resume') supervisors.resume();
    if (message.type === 'drain') void drain();
  });

  /** `closed` is evidence: said only when everything was released, and the guard proves it again before it goes. */
  const drain = async (): Promise<void> => {
    const session = sessions.session();
    await supervisors.drain(DRAIN_MS);
    const isAllReleased = supervisors.reports().every((slot) => slot.phase === 'Standby' || slot.phase === 'Stopped');
    if (session !== null && isAllReleased) {
      const order = `closed.${session}`;
      reports.put({ order, session, group: '*', slot: 0, epoch: 0, outcome: 'released', detail: 'the host was shut down in good order' });
      await reports.flushed(CALL_MS);
    }
    link.send({ type: 'drained' });
  };

  link.send({ type: 'ready' });
}

main();
