/**
 * Systems Manager for the local fleet: Run Command, for the one command that Holdfast sends. It runs as a process of the
 * instance. Anything else is refused: this server must not become a way to run things on the machine it stands on.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { CHECK_COMMAND } from '../../../core/protocol/guard-check.ts';
import type { Ec2Cloud } from './cloud.ts';
import { INVOCATION_MS } from './delays.ts';
import { Ec2Error } from './ec2-error.ts';
import type { MachineView } from './machine-source.ts';

const COMMANDS_MAX = 1_000;
const RUN_MS_MAX = 60_000;
const DEFAULT_RUN_S = '30';
/** What SSM keeps of each output. */
const OUTPUT_CHARS_MAX = 24_000;

const SendCommand = z.object({
  InstanceIds: z.array(z.string()).min(1).max(50),
  DocumentName: z.string(),
  TimeoutSeconds: z.int().min(30).optional(),
  Parameters: z.object({
    commands: z.array(z.string()).min(1),
    executionTimeout: z.array(z.string().regex(/^\d+$/)).length(1).optional(),
  }),
});

const Invocation = z.object({ CommandId: z.string(), InstanceId: z.string() });
const Information = z.object({
  Filters: z.array(z.object({ Key: z.string(), Values: z.array(z.string()) })).optional(),
});

interface Run {
  readonly sentMs: number;
  status: 'Pending' | 'Success' | 'Failed' | 'TimedOut';
  code: number;
  stdout: string;
  stderr: string;
}

export class Ssm {
  readonly #cloud: Ec2Cloud;
  /** By command and instance, oldest first. */
  readonly #runs = new Map<string, Run>();

  constructor(cloud: Ec2Cloud) {
    this.#cloud = cloud;
  }

  call(operation: string, input: unknown): object {
    switch (operation) {
      case 'SendCommand':
        return this.#send(parsed(SendCommand, input));
      case 'GetCommandInvocation':
        return this.#invocation(parsed(Invocation, input));
      case 'DescribeInstanceInformation':
        return this.#information(parsed(Information, input));
      default:
        throw new Ec2Error('UnknownOperationException', `the local SSM has no ${operation}`);
    }
  }

  #send({ InstanceIds, DocumentName, Parameters }: z.infer<typeof SendCommand>): object {
    if (DocumentName !== 'AWS-RunShellScript')
      throw new Ec2Error('InvalidDocument', `no document ${DocumentName} here`);
    const machines = InstanceIds.map((id) => this.#connected(id));
    const commandId = randomUUID();
    const isKnown = Parameters.commands.join('\n') === CHECK_COMMAND;
    const timeoutMs = Math.min(Number(Parameters.executionTimeout?.[0] ?? DEFAULT_RUN_S) * 1_000, RUN_MS_MAX);
    for (const { id } of machines) {
      const run: Run = { sentMs: Date.now(), status: 'Pending', code: -1, stdout: '', stderr: '' };
      this.#keep(`${commandId} ${id}`, run);
      if (isKnown) void this.#run(id, run, timeoutMs);
      else refuse(run, Parameters.commands.join('\n'));
    }
    return { Command: { CommandId: commandId, DocumentName, InstanceIds, Status: 'Pending' } };
  }

  /** A command to a machine that is dead, or is cut off before it has answered, stays open: nobody tells SSM. */
  async #run(id: string, run: Run, timeoutMs: number): Promise<void> {
    if (this.#cloud.source.view(id)?.isOn !== true) return;
    try {
      const result = await this.#cloud.source.check?.(id, timeoutMs);
      const after = this.#cloud.source.view(id);
      if (result === undefined || after?.isOn !== true || !after.isConnected) return;
      run.code = result.status;
      run.stdout = result.stdout.slice(0, OUTPUT_CHARS_MAX);
      run.stderr = result.stderr.slice(0, OUTPUT_CHARS_MAX);
      run.status = result.status === 0 ? 'Success' : 'Failed';
    } catch (error) {
      run.status = 'TimedOut';
      run.stderr = String(error);
    }
  }

  #invocation({ CommandId, InstanceId }: z.infer<typeof Invocation>): object {
    const run = this.#runs.get(`${CommandId} ${InstanceId}`);
    if (run === undefined || Date.now() < run.sentMs + INVOCATION_MS) {
      throw new Ec2Error('InvocationDoesNotExist', 'The command ID and instance ID that you specified did not match');
    }
    return {
      ...{ CommandId, InstanceId, Status: run.status, StatusDetails: run.status, ResponseCode: run.code },
      ...{ StandardOutputContent: run.stdout, StandardErrorContent: run.stderr },
    };
  }

  #information({ Filters }: z.infer<typeof Information>): object {
    const ids = Filters?.find(({ Key }) => Key === 'InstanceIds')?.Values;
    const machines = this.#cloud.source.list().filter(({ id }) => ids === undefined || ids.includes(id));
    return {
      InstanceInformationList: machines
        .filter(() => this.#cloud.source.check !== undefined)
        .map((machine) => ({
          InstanceId: machine.id,
          Name: machine.name,
          PingStatus: this.#isConnected(machine) ? 'Online' : 'ConnectionLost',
          ResourceType: 'EC2Instance',
        })),
    };
  }

  #connected(id: string): MachineView {
    const machine = this.#cloud.source.view(id);
    if (machine === undefined || this.#cloud.source.check === undefined || !this.#isConnected(machine)) {
      throw new Ec2Error(
        'InvalidInstanceId',
        `Instances [[${id}]] not in a valid state for account ${this.#cloud.account}`,
      );
    }
    return machine;
  }

  /** Of a machine that crashed SSM has heard nothing yet, so it counts as connected. */
  #isConnected(machine: MachineView): boolean {
    return machine.isConnected && this.#cloud.stateOf(machine.id) === 'running';
  }

  #keep(key: string, run: Run): void {
    this.#runs.set(key, run);
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > COMMANDS_MAX && oldest !== undefined) this.#runs.delete(oldest);
  }
}

function refuse(run: Run, commands: string): void {
  run.status = 'Failed';
  run.code = 127;
  run.stderr = `the local fleet runs "${CHECK_COMMAND}" and nothing else, so not ${JSON.stringify(commands.slice(0, 200))}`;
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new Ec2Error('ValidationException', z.prettifyError(result.error));
}
