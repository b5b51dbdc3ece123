/**
 * `holdfast-agent`: what a person, or Systems Manager, may ask on a host. `check [--json] [--config FILE]` is answered by
 * the guard itself. Exit status 0: it answered; 1: no answer, which says nothing (S8).
 */
import { parseArgs } from 'node:util';
import { readHostConfig } from '../adapters/node/host-config.ts';
import { askLockHolder } from '../adapters/node/instance-lock.ts';
import { FAILURES, failureCode, messageOf } from '../core/failures/failures.ts';
import type { GuardCheck } from '../core/ports.ts';
import { readOnLock } from '../core/protocol/guard-check.ts';

const CONFIG_FILE = '/etc/holdfast/host.json';
const USAGE = 'usage: holdfast-agent check [--json] [--config FILE]\n';

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string', default: process.env['HOLDFAST_CONFIG'] ?? CONFIG_FILE },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return say('stdout', USAGE, 0);
  if (positionals.length !== 1 || positionals[0] !== 'check') return say('stderr', USAGE, FAILURES.config_invalid.exit);
  const { instanceMark } = readHostConfig(values.config);
  const answer = await askLockHolder(instanceMark);
  const check: GuardCheck =
    answer === undefined ? { outcome: 'unknown', says: 'no guard answers on this host' } : readOnLock(answer);
  if (check.outcome === 'unknown') return say('stderr', `${check.says}\n`, 1);
  return say('stdout', values.json ? jsonOf(check) : wordsOf(check), 0);
}

type Answered = Extract<GuardCheck, { outcome: 'answered' }>;

function jsonOf({ session, stands, running }: Answered): string {
  return `${JSON.stringify({ session, stands, running })}\n`;
}

function wordsOf({ session, stands, running }: Answered): string {
  const services = running.length === 0 ? 'nothing covered runs' : `running: ${running.join(', ')}`;
  if (session === null) return `no session; ${services}\n`;
  return `session ${session}, its lease ${stands ? 'stands' : 'is over'}; ${services}\n`;
}

function say(stream: 'stdout' | 'stderr', text: string, status: number): number {
  process[stream].write(text);
  return status;
}

main().then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    const code = failureCode(error);
    process.exitCode = code === undefined ? FAILURES.config_invalid.exit : FAILURES[code].exit;
  },
);
