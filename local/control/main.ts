/**
 * The control plane of the local runtime, a process of its own so that it can die alone: workflow driver, schedules,
 * Lambda handlers, API. It ends when its standard input does.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HaError, messageOf } from '../../core/failures/failures.ts';
import type { Workflow } from '../../core/ports.ts';
import { keys } from '../../core/protocol/records.ts';
import { substitute } from '../../core/workflow/substitute.ts';
import { applyDefinition } from '../../lambdas/api/apply.ts';
import type { ControlPorts } from '../../lambdas/shared/ports.ts';
import { readControlConfig } from '../control-config.ts';
import { openWorkflowDriver, type WorkflowDriver } from '../workflow/driver.ts';
import { processTimers } from '../workflow/timers.ts';
import { startApiServer } from './api-server.ts';
import { ACCOUNT, controlPorts, createLambdas, fenceCloud, FUNCTIONS, type Lambdas, type Log } from './handlers.ts';
import { every } from './schedule.ts';

/** As on AWS: a new invocation each minute takes the loop over from the one before. */
const FIND_BEHIND_MS = 60_000;
/** On AWS a minute; here people wait for it. */
const RECONCILE_MS = 1_000;
/** On AWS an hour, and then only what is due: here somebody breaks things to see them found. */
const SELF_TEST_MS = 300_000;

const log: Log = (level, text, facts) => {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, who: 'control', text, ...facts })}\n`);
};

async function main(): Promise<void> {
  process.stdin.resume().on('end', () => process.exit(0));
  const file = parseArgs({ options: { config: { type: 'string' } } }).values.config;
  if (file === undefined) throw new HaError('config_invalid', 'usage: control --config FILE');
  const config = readControlConfig(file);

  const aslFile = new URL('../../stepfunctions/ha-run.asl.json', import.meta.url);
  const asl = substitute(z.json().parse(JSON.parse(await readFile(aslFile, 'utf8'))), FUNCTIONS);
  // Handlers start executions, and executions call handlers: whichever comes first is asked for the other when it is needed.
  const parts: { driver?: WorkflowDriver; lambdas?: Lambdas } = {};
  const workflow: Workflow = {
    start: (name, input) => required(parts.driver).start(name, input),
    status: (name) => required(parts.driver).status(name),
  };
  const ports = controlPorts(config, workflow, log);
  const lambdas = createLambdas(ports, fenceCloud(config));
  const driver = await openWorkflowDriver({
    folder: join(config.stateDir, 'executions'),
    asl,
    invoke: (resource, input) => lambdas.invoke(resource, input),
    timers: processTimers,
    log: (text) => log('warn', text),
  });
  parts.driver = driver;

  await applyFirst(ports, config.definitionFile);
  const { socket, token } = config;
  const { api, openStream, instanceState } = lambdas;
  await startApiServer({ api, openStream, instanceState, socket, token, log });
  const onError = (what: string) => (error: unknown) => log('warn', `${what}: ${messageOf(error)}`);
  every(FIND_BEHIND_MS, { overlap: true, run: () => lambdas.findBehind({}), onError: onError('find-behind') });
  const selfTest = (): Promise<unknown> => lambdas.invoke(FUNCTIONS.HaFence, { step: 'self-test', all: true });
  every(SELF_TEST_MS, { overlap: false, run: selfTest, onError: onError('self-test') });
  every(RECONCILE_MS, { overlap: false, run: () => lambdas.reconcile({}), onError: onError('reconcile') });
  log('info', `control plane ready on ${config.socket}`);
}

function required(driver: WorkflowDriver | undefined): WorkflowDriver {
  if (driver === undefined) throw new HaError('store_unavailable', 'the workflow driver is not open yet');
  return driver;
}

/** A fresh state folder begins with the definition it was started with; afterwards `holdfast apply` changes it. */
async function applyFirst(ports: ControlPorts, file: string): Promise<void> {
  const clusters = await ports.registry.query(keys.clusters('').pk, { limit: 1 });
  if (clusters.length > 0) return;
  const applied = await applyDefinition(ports, await readFile(file, 'utf8'), {
    dryRun: false,
    account: ACCOUNT,
    by: 'npm start',
  });
  log('info', `applied ${file} as definition ${applied.rev}`);
}

main().catch((error: unknown) => {
  log('error', error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
});
