/** `npm run break -- FAULT [HOST]`: breaks something in the system that `npm start` runs. */
import { parseArgs } from 'node:util';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { causeByHttp } from '../local/fleet/client.ts';
import type { Fault } from '../local/fleet/faults.ts';
import { parseFault } from '../local/fleet/faults.ts';
import { readRuntimeFiles } from '../local/runtime-files.ts';

const WORDS: Readonly<Record<Fault['fault'], string>> = {
  cut: 'cut it off from AWS; it runs on (undo: heal)',
  heal: 'connect it again',
  'power-off': 'pull its plug (undo: power-on)',
  'power-on': 'power it on',
  reboot: 'reboot it at once',
  'kill-agent': 'SIGKILL its agent',
  'kill-guard': 'SIGKILL its guard',
  'kill-guard-and-agent': 'SIGKILL both',
  'freeze-agent': 'SIGSTOP its agent (undo: thaw-agent)',
  'thaw-agent': 'SIGCONT its agent',
  'freeze-guard': 'SIGSTOP its guard: the watchdog bites (undo, if you are quick: thaw-guard)',
  'thaw-guard': 'SIGCONT its guard',
  'kill-service': 'SIGKILL its services, or those that --group, --slot, --service name',
  'stubborn-service': 'make its services ignore SIGTERM; same options',
  'kill-control': 'SIGKILL the control plane; it is started again',
  'stop-control': 'SIGKILL the control plane; it stays away (undo: start-control)',
  'start-control': 'start the control plane',
};

const OF_CONTROL: readonly string[] = ['kill-control', 'stop-control', 'start-control'] satisfies Fault['fault'][];

interface Order {
  readonly fault: Fault;
  readonly stateDir: string;
}

/** null: show what there is. */
function readOrder(): Order | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      state: { type: 'string', default: '.holdfast' },
      group: { type: 'string' },
      slot: { type: 'string' },
      service: { type: 'string' },
    },
  });
  const [fault, host, ...more] = positionals;
  if (values.help || fault === undefined) return null;
  if (!(fault in WORDS)) throw new TypeError(`${fault} is no fault; there are ${Object.keys(WORDS).join(', ')}`);
  const needsHost = !OF_CONTROL.includes(fault);
  if (needsHost && host === undefined)
    throw new TypeError(`${fault}: say which host, as in: npm run break -- ${fault} h1`);
  if (more.length > 0 || (!needsHost && host !== undefined)) throw new TypeError(`too many words after ${fault}`);
  const { group, service } = values;
  const about = {
    ...(host === undefined ? {} : { host }),
    ...(group === undefined ? {} : { group }),
    ...(values.slot === undefined ? {} : { slot: Number(values.slot) }),
    ...(service === undefined ? {} : { service }),
  };
  return { fault: parseFault({ fault, ...about }), stateDir: values.state };
}

function usage(): string {
  const line = ([fault, words]: [string, string]): string => {
    const order = OF_CONTROL.includes(fault) ? fault : `${fault} HOST`;
    return `  ${order.padEnd(27)}${words}\n`;
  };
  const options = '[--group NAME] [--slot N] [--service NAME] [--state DIR]';
  return `usage: npm run break -- FAULT [HOST] ${options}\n${Object.entries(WORDS).map(line).join('')}`;
}

function done(fault: Fault, signalled: number | null): string {
  const what = 'host' in fault ? `${fault.fault} ${fault.host}` : fault.fault;
  if (signalled === null) return `${what}: done`;
  return `${what}: ${signalled === 1 ? '1 process' : `${String(signalled)} processes`} signalled`;
}

async function main(): Promise<number> {
  let order: Order | null;
  try {
    order = readOrder();
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return FAILURES.config_invalid.exit;
  }
  if (order === null) {
    process.stdout.write(usage());
    return 0;
  }
  try {
    const { signalled } = await causeByHttp(readRuntimeFiles(order.stateDir).runtime, order.fault);
    process.stdout.write(`${done(order.fault, signalled)}\n`);
    return signalled === 0 ? FAILURES.not_found.exit : 0;
  } catch (error) {
    const code = failureCode(error);
    if (code === undefined) throw error;
    process.stderr.write(`${messageOf(error)}\n`);
    return FAILURES[code].exit;
  }
}

process.exitCode = await main();
