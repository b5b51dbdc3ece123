/** `npm run break -- FAULT [HOST]`: breaks something in the system that `npm start` runs. */
import { parseArgs } from 'node:util';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import { causeByHttp } from '../local/fleet/client.ts';
import { DELAYS_TEXT, LATE_EVENT_MS } from '../local/fleet/ec2/delays.ts';
import type { Fault } from '../local/fleet/faults.ts';
import { parseFault } from '../local/fleet/faults.ts';
import { readRuntimeFiles } from '../local/runtime-files.ts';

const WORDS: Readonly<Record<Fault['fault'], string>> = {
  cut: 'cut it off from AWS, its SSM agent as well; it runs on (undo: heal)',
  heal: 'connect it again',
  'power-off': 'pull its plug; EC2 knows at once (undo: power-on)',
  'power-on': 'power it on: a new launch',
  crash: 'end it at once while EC2 goes on saying running (undo: power-on)',
  stolen: 'somebody else stops and starts it: a new launch',
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
  ec2: 'let EC2 itself misbehave, about one host or all',
};

/** What each mode of the fault `ec2` does. */
const MODES: Readonly<Record<Extract<Fault, { fault: 'ec2' }>['mode'], string>> = {
  throttled: 'refuse every call with RequestLimitExceeded',
  'stuck-stopping': 'accept a stop and stay in stopping, while the machine runs on',
  stale: 'go on answering as things are now',
  empty: 'answer DescribeInstances without any instance',
  'late-events': `deliver state changes ${String(LATE_EVENT_MS)} ms late`,
  'repeat-events': 'deliver every state change twice',
  'no-capacity': 'refuse to start: InsufficientInstanceCapacity',
  unauthorized: 'refuse every order with UnauthorizedOperation, also as a DryRun',
  'stuck-detaching': 'accept the detach of a volume or interface and never end it, unless by force',
  well: 'end all of these',
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
  if (fault === 'ec2') return { fault: readEc2(host, more), stateDir: values.state };
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

function readEc2(mode: string | undefined, [host, ...more]: readonly string[]): Fault {
  if (mode === undefined || !(mode in MODES)) {
    throw new TypeError(
      `ec2: say how, one of ${Object.keys(MODES).join(', ')}, as in: npm run break -- ec2 throttled h1`,
    );
  }
  if (more.length > 0) throw new TypeError(`too many words after ec2 ${mode}`);
  return parseFault({ fault: 'ec2', mode, ...(host === undefined ? {} : { host }) });
}

function usage(): string {
  const line = ([fault, words]: [string, string]): string => {
    const order = fault === 'ec2' ? 'ec2 MODE [HOST]' : OF_CONTROL.includes(fault) ? fault : `${fault} HOST`;
    return `  ${order.padEnd(27)}${words}\n`;
  };
  const options = '[--group NAME] [--slot N] [--service NAME] [--state DIR]';
  const modes = Object.entries(MODES).map(([mode, words]) => `  ${mode.padEnd(27)}${words}\n`);
  const faults = Object.entries(WORDS).map(line).join('');
  return `usage: npm run break -- FAULT [HOST] ${options}\n${faults}\nMODE:\n${modes.join('')}\n${DELAYS_TEXT}\n`;
}

function done(fault: Fault, signalled: number | null): string {
  const words = [fault.fault, 'mode' in fault ? fault.mode : undefined, 'host' in fault ? fault.host : undefined];
  const what = words.filter((word) => word !== undefined).join(' ');
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
