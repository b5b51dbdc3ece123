/**
 * Asks a host's guard by Systems Manager: a path that shares neither network nor agent with the heartbeats. Silence on it
 * says nothing (S8); an answer was made after the question was sent, and is the guard's own.
 */
import { GetCommandInvocationCommand, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { GetCommandInvocationCommandOutput } from '@aws-sdk/client-ssm';
import { setTimeout as delay } from 'node:timers/promises';
import type { GuardAsk, GuardCheck } from '../../core/ports.ts';
import { CHECK_COMMAND, readGuardSelf } from '../../core/protocol/guard-check.ts';
import type { Millis } from '../../core/time/time.ts';
import { clientSettings, reasonOf, withinBudget } from './bounded-call.ts';
import type { AwsPlace } from './bounded-call.ts';

/** From the question to giving up. A healthy host answers a Run Command within one to three seconds. */
const BUDGET_MS = 5_000;
/** SSM throttles those that poll faster. */
const POLL_MS = 500;
/** Seconds in which the command may still start, the least that SSM takes. */
const START_WITHIN_S = 30;
/** Seconds that the command may run. */
const RUN_WITHIN_S = 5;
const REASON_CHARS_MAX = 300;
const LIMITS = { attempts: 2, connectMs: 1_000, requestMs: 2_000 };

export interface SsmOptions extends AwsPlace {
  readonly budgetMs?: Millis;
  readonly pollMs?: Millis;
}

export function ssmGuardAsk(options: SsmOptions): GuardAsk & { readonly close: () => void } {
  const client = new SSMClient(clientSettings(options, LIMITS));
  const budgetMs = options.budgetMs ?? BUDGET_MS;
  const pollMs = options.pollMs ?? POLL_MS;
  return {
    async check(machine) {
      try {
        return await withinBudget(`asking the guard of ${machine}`, budgetMs, async (signal) => {
          const commandId = await send(client, machine, signal);
          return await poll(client, { machine, commandId, pollMs, roundsMax: Math.ceil(budgetMs / pollMs) }, signal);
        });
      } catch (error) {
        const { code, text } = reasonOf(error);
        // What it says of it names neither the reason nor the machine in a way that helps a reader.
        return unknown(code === 'InvalidInstanceId' ? `its SSM agent is not connected (${code})` : `${code}: ${text}`);
      }
    },
    close: () => client.destroy(),
  };
}

async function send(client: SSMClient, machine: string, abortSignal: AbortSignal): Promise<string> {
  const command = new SendCommandCommand({
    InstanceIds: [machine],
    DocumentName: 'AWS-RunShellScript',
    Comment: 'Holdfast asks the guard',
    TimeoutSeconds: START_WITHIN_S,
    Parameters: { commands: [CHECK_COMMAND], executionTimeout: [String(RUN_WITHIN_S)] },
  });
  const { Command } = await client.send(command, { abortSignal });
  if (Command?.CommandId === undefined) throw new Error('SSM answered without a command id');
  return Command.CommandId;
}

interface Asked {
  readonly machine: string;
  readonly commandId: string;
  readonly pollMs: Millis;
  readonly roundsMax: number;
}

async function poll(client: SSMClient, asked: Asked, signal: AbortSignal): Promise<GuardCheck> {
  for (let round = 0; round < asked.roundsMax; round += 1) {
    await delay(asked.pollMs, undefined, { signal });
    const answer = await invocation(client, asked, signal);
    const check = answer === undefined ? 'open' : judge(answer);
    if (check !== 'open') return check;
  }
  return unknown('the command had not ended in time');
}

/** undefined: not there yet, as just after SendCommand. */
async function invocation(
  client: SSMClient,
  { machine, commandId }: Asked,
  abortSignal: AbortSignal,
): Promise<GetCommandInvocationCommandOutput | undefined> {
  try {
    const command = new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: machine });
    return await client.send(command, { abortSignal });
  } catch (error) {
    if (reasonOf(error).code === 'InvocationDoesNotExist') return undefined;
    throw error;
  }
}

function judge(answer: GetCommandInvocationCommandOutput): GuardCheck | 'open' {
  switch (answer.Status) {
    case 'Pending':
    case 'InProgress':
    case 'Delayed':
    case 'Cancelling':
      return 'open';
    case 'Success':
      return readGuardSelf(answer.StandardOutputContent ?? '');
    default: {
      const errors = (answer.StandardErrorContent ?? '').trim().slice(0, REASON_CHARS_MAX);
      const status = answer.StatusDetails ?? answer.Status ?? 'no status';
      return unknown(`the command ended as ${status}${errors === '' ? '' : `: ${errors}`}`);
    }
  }
}

function unknown(says: string): GuardCheck {
  return { outcome: 'unknown', says };
}
