/**
 * `npm start`: the whole system on this machine, no AWS, no root.
 *
 * Whatever ends this process ends every other one: instances and control plane watch their standard input.
 */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { apiClient } from '../adapters/node/api-client.ts';
import { missingFrom } from './missing.ts';
import { startRuntime } from './runtime.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';

const UP_LIMIT_MS = 60_000;
const POLL_MS = 250;
const USAGE = `usage: npm start [-- [--reset] [--state DIR] [--port N] [--definition FILE] [--no-control] [--witness SOCKET] [--with-parent]]
  --reset         begin with an empty state folder
  --state         state folder, default .holdfast
  --port          of API and console on 127.0.0.1, default 7777; 0: any free one
  --definition    cluster definition, default local/samples/cluster.yaml
  --no-control    run the hosts without their control plane
  --witness       unix socket of a witness that is already running
  --with-parent   end when standard input ends
`;

function readOptions(): RuntimeOptions & { readonly withParent: boolean } {
  const { values } = parseArgs({
    options: {
      reset: { type: 'boolean', default: false },
      state: { type: 'string', default: '.holdfast' },
      port: { type: 'string', default: '7777' },
      definition: { type: 'string', default: fileURLToPath(new URL('./samples/cluster.yaml', import.meta.url)) },
      'no-control': { type: 'boolean', default: false },
      witness: { type: 'string' },
      'with-parent': { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new TypeError(`--port ${values.port} is not a port`);
  return {
    stateDir: resolve(values.state),
    reset: values.reset,
    port,
    definitionFile: resolve(values.definition),
    hasControl: !values['no-control'],
    witness: values.witness,
    log: say,
    withParent: values['with-parent'],
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Says what is still missing when the limit passes; the runtime runs on, for it may be what a person came to look at. */
async function untilUp(runtime: Runtime): Promise<string[]> {
  const { token } = runtime;
  const api = apiClient({ url: runtime.apiUrl, token });
  let missing = ['the control plane does not answer'];
  for (let left = UP_LIMIT_MS; left > 0; left -= POLL_MS) {
    try {
      missing = missingFrom(await api.status(), runtime.definition);
    } catch (error) {
      missing = [messageOf(error)];
    }
    if (missing.length === 0) return [];
    await delay(POLL_MS);
  }
  return missing;
}

function welcome(runtime: Runtime): string {
  const { definition, stateDir, apiUrl, fleetUrl, token } = runtime;
  const hosts = definition.hosts.map((host) => host.name);
  const groups = definition.groups.map(
    (group) => `${group.name} (${group.services.map((each) => each.name).join(', ')})`,
  );
  const host = hosts[0] ?? 'HOST';
  const curl = `curl -s -H 'authorization: Bearer ${token}' ${fleetUrl}/break -d`;
  return `
cluster ${definition.cluster}, timing profile ${definition.timing.profile}
  hosts    ${hosts.join(', ')}
  groups   ${groups.join('; ')}
  console  ${apiUrl}/#token=${token}
  state    ${stateDir} (logs: hosts/NAME/instance.log, control.log)

break it:
  ${curl} '{"fault":"cut","host":"${host}"}'           cut a host off (undo: heal)
  ${curl} '{"fault":"power-off","host":"${host}"}'     pull its plug (undo: power-on)
  ${curl} '{"fault":"freeze-guard","host":"${host}"}'  stop its guard (SIGSTOP)
  ${curl} '{"fault":"kill-control"}'                the control plane itself
or let a script do it and measure: npm run failover -- --fault cut

Ctrl-C ends everything.`;
}

/** The first signal ends everything in order; a second one at once. */
function endOnSignal(runtime: Runtime, withParent: boolean): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) process.exit(130);
    isEnding = true;
    say('ending …');
    runtime.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  if (withParent) process.stdin.once('end', end).once('error', end).resume();
}

function fail(error: unknown): never {
  const code = failureCode(error);
  const text = code === undefined && error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
  process.stderr.write(`${text}\n`);
  process.exit(code === undefined ? 1 : FAILURES[code].exit);
}

async function main(): Promise<void> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}`);
    process.exit(2);
  }
  const runtime = await startRuntime(options);
  endOnSignal(runtime, options.withParent);
  say('hosts are powered on …');
  const missing = options.hasControl ? await untilUp(runtime) : [];
  for (const what of missing) say(`not up after ${String(UP_LIMIT_MS / 1000)} s: ${what}`);
  say(welcome(runtime));
}

main().catch(fail);
