/** One life of the agent on a simulated machine: the real agent in a process of its own, joined to its guard by a pipe. */
import { startAgent } from '../../agent/agent.ts';
import type { AgentChild } from '../../agent/guard/agent-process.ts';
import type { GuardChannel } from '../../agent/guard-link.ts';
import type { AgentMessage, GuardMessage } from '../../core/protocol/guard-link.ts';
import type { SimProcess } from '../kernel/process.ts';
import { type BootParts, coverKey } from './boot-parts.ts';
import { Mailbox } from './mailbox.ts';
import { simulatedRunners } from './runner.ts';

const EXEC_MS = [15, 120] as const;
const PIPE_MS = [0.05, 3] as const;

export interface AgentLife {
  readonly process: SimProcess;
  readonly child: AgentChild;
  /** It ends, or is ended; told to the guard. */
  end(how: string): void;
  /** Its guard has ended. */
  disconnect(): void;
}

/** `onEnd` is told once, before the guard learns it. */
export function startAgentLife(parts: BootParts, guard: SimProcess, onEnd: (life: AgentLife) => void): AgentLife {
  const { world, kernel, draws } = parts;
  const { timeline } = world.stage;
  const process = parts.mutation === 'guard-in-agent' ? guard : parts.newProcess('agent');
  const delay = (): number => draws.pipes.between(...PIPE_MS);
  const up = new Mailbox<AgentMessage>(timeline, guard, delay);
  const down = new Mailbox<GuardMessage>(timeline, process, delay);
  const exitListeners: ((how: string) => void)[] = [];
  const disconnectListeners: (() => void)[] = [];
  let isEnded = false;

  const life: AgentLife = {
    process,
    child: {
      send(message) {
        if (guard.isAlive) down.send(parts.mutant.toAgent(message));
      },
      onMessage: (listener) => up.onMessage(listener),
      onExit: (listener) => void exitListeners.push(listener),
      kill: () => life.end('SIGKILL'),
    },
    end(how) {
      if (isEnded) return;
      isEnded = true;
      process.kill();
      parts.tell('agent', 'ended', how);
      onEnd(life);
      up.end(() => {
        for (const listener of exitListeners) listener(how);
      });
    },
    disconnect: () =>
      down.end(() => {
        for (const listener of disconnectListeners) listener();
      }),
  };
  const channel: GuardChannel = {
    send(message) {
      if (!process.isAlive) return;
      noteCover(parts, message);
      up.send(parts.mutant.toGuard(message));
    },
    onMessage: (listener) => down.onMessage(listener),
    onDisconnect: (listener) => void disconnectListeners.push(listener),
  };
  parts.tell('agent', 'started', '');
  kernel.timers.after(draws.agent.between(...EXEC_MS), () => process.post(() => run(parts, life, channel)));
  return life;
}

/** What an order says of its group is what its services are judged by. What was covered once stays so (S20). */
function noteCover({ covered }: BootParts, message: AgentMessage): void {
  if (message.type !== 'leave') return;
  const { group, slot, epoch, covered: isCovered } = message.request;
  const key = coverKey(`${group}/${slot}`, epoch);
  covered.set(key, covered.get(key) === true || isCovered);
}

function run(parts: BootParts, life: AgentLife, guard: GuardChannel): void {
  const { world, identity, clock, kernel, disk, table, draws, troubles, covered } = parts;
  const { process } = life;
  const { cluster } = world.scene;
  const { host, machine, principal } = identity;
  const real = world.store.forHost(process, host, principal, parts.machineId);
  startAgent({
    config: { cluster, host, principal, machine, bootId: parts.bootId, launchTime: parts.launchTime },
    clock: clock.boot,
    wall: clock.wall,
    timers: process.timers,
    random: () => draws.agent.fraction(),
    own: parts.mutant.own(process, real.own),
    registry: real.registry,
    guard,
    incarnation: disk.store('incarnation', process, kernel.timers, parseText),
    files: disk.slotFiles(process),
    runners: (lives) =>
      simulatedRunners({
        agent: process,
        lives,
        table,
        random: draws.services,
        troubles,
        isCovered: (where, epoch) => covered.get(coverKey(where, epoch)) ?? false,
      }),
    hostEnv: { cluster, host, env: {} },
    exit: (status) => life.end(`exit ${status}`),
    log: (level, text, facts) =>
      parts.log('agent', `${level}: ${text}${facts === undefined ? '' : ` ${JSON.stringify(facts)}`}`),
  });
}

function parseText(json: unknown): string {
  if (typeof json !== 'string') throw new Error(`no text: ${JSON.stringify(json)}`);
  return json;
}
