/** One instance of the local fleet: power, network and faults of its processes. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { replaceFile } from '../../adapters/node/file-store.ts';
import type { HostConfig } from '../../adapters/node/host-config.ts';
import { MARKS, mark } from '../../adapters/node/marks.ts';
import { endMarked } from '../../adapters/node/processes.ts';
import { HaError } from '../../core/failures/failures.ts';
import { runCommand } from './command-run.ts';
import type { RunResult } from './ec2/machine-source.ts';
import type { HostProxy } from './proxy.ts';

/** The longest that a shutdown may take before the power goes; a little longer than what init grants. */
const SHUTDOWN_MS = 10_000;

export type InstanceState = 'stopped' | 'pending' | 'running' | 'stopping';

/** What is known of an instance from outside, as EC2 would show it. */
export interface InstanceView {
  readonly id: string;
  readonly host: string;
  readonly principal: string;
  /** Of the last start from `stopped`. */
  readonly launchTime: string;
  readonly bootId: string;
  readonly state: InstanceState;
  readonly isCut: boolean;
}

/** The part of a host's configuration that stays the same over its boots. */
export type HostIdentity = Omit<HostConfig, 'bootId' | 'launchTime'>;

export interface InstanceOptions {
  readonly identity: HostIdentity;
  /** Folder of this instance: configuration, log, and the state that survives power cuts. */
  readonly folder: string;
  readonly initEntry: string;
  /** `holdfast-agent` as a script. */
  readonly commandEntry: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly proxy: HostProxy;
  /** Moment of the last start, from an earlier life of the runtime. */
  readonly lastLaunchTime: string | undefined;
  /** It went off by itself, and is off now. */
  readonly onLost: () => void;
  readonly log: (text: string) => void;
}

export class Instance {
  readonly identity: HostIdentity;
  readonly proxy: HostProxy;
  readonly #options: InstanceOptions;
  #state: InstanceState = 'stopped';
  #launchTime: string;
  #bootId = '';
  #init: ChildProcess | undefined;
  /** Ends the orderly phase of the shutdown under way. */
  #cutShort: () => void = () => undefined;
  /** Power is switched one order after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: InstanceOptions) {
    this.identity = options.identity;
    this.proxy = options.proxy;
    this.#options = options;
    this.#launchTime = options.lastLaunchTime ?? new Date(0).toISOString();
  }

  view(): InstanceView {
    return {
      id: this.identity.machine,
      host: this.identity.host,
      principal: this.identity.principal,
      launchTime: this.#launchTime,
      bootId: this.#bootId,
      state: this.#state,
      isCut: this.proxy.isCut,
    };
  }

  powerOn(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'running') return;
      this.#state = 'pending';
      // Rises even if the wall clock stepped back: it tells this launch from the one that evidence may name (S7).
      const launchedAt = Math.max(Date.now(), Date.parse(this.#launchTime) + 1);
      this.#launchTime = new Date(launchedAt).toISOString();
      await this.#boot();
    });
  }

  /** Every process at once, without warning, as when power fails; also if it is just shutting down. */
  powerOff(): Promise<void> {
    this.#cutShort();
    return this.#inTurn(async () => {
      if (this.#state === 'stopped') return;
      this.#state = 'stopping';
      await this.#endAll();
      this.#state = 'stopped';
    });
  }

  /** The power button: its init lets the guard end everything in good order, for a bounded time. */
  shutDown(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'stopped') return;
      this.#state = 'stopping';
      await this.#orderlyEnd();
      await this.#endAll();
      this.#state = 'stopped';
    });
  }

  /** Power off and on again: a new boot of the same launch. Of what is off only if it has crashed, asked in its turn. */
  reboot(hasCrashed: () => boolean = () => false): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'running' && !hasCrashed()) {
        throw new HaError('conflict', `${this.identity.host} is ${this.#state}; only a running instance reboots`);
      }
      await this.#endAll();
      await this.#boot();
    });
  }

  /** `holdfast-agent check --json` as a process of this instance, so that it ends with it. */
  check(timeoutMs: number): Promise<RunResult> {
    const { commandEntry, environment, folder } = this.#options;
    const env = {
      ...environment,
      [MARKS.instance]: this.identity.instanceMark,
      HOLDFAST_CONFIG: this.#configFile(),
    };
    return runCommand([process.execPath, commandEntry, 'check', '--json'], { env, cwd: folder, timeoutMs });
  }

  #configFile(): string {
    return join(this.#options.folder, 'config.json');
  }

  async #orderlyEnd(): Promise<void> {
    const init = this.#init;
    this.#init = undefined; // Its end is expected.
    if (init === undefined || init.exitCode !== null || init.signalCode !== null) return;
    const isOver = new AbortController();
    const cut = new Promise<void>((resolve) => (this.#cutShort = resolve));
    const exited = once(init, 'exit', { signal: isOver.signal });
    const tooLong = delay(SHUTDOWN_MS, undefined, { signal: isOver.signal });
    init.kill('SIGTERM');
    await Promise.race([exited, cut, tooLong]).catch(() => undefined);
    this.#cutShort = () => undefined;
    isOver.abort();
    await Promise.allSettled([exited, tooLong]);
  }

  async #boot(): Promise<void> {
    await this.#endAll(); // Whatever an earlier runtime may have left.
    this.#bootId = randomUUID();
    await mkdir(this.identity.stateDir, { recursive: true });
    const config: HostConfig = { ...this.identity, bootId: this.#bootId, launchTime: this.#launchTime };
    const configFile = this.#configFile();
    await replaceFile(configFile, JSON.stringify(config, null, 2));
    this.#init = this.#startInit(configFile);
    this.#state = 'running';
  }

  #startInit(configFile: string): ChildProcess {
    const { folder, initEntry, environment } = this.#options;
    const log = openSync(join(folder, 'instance.log'), 'a', 0o600);
    const init = spawn(process.execPath, [initEntry, '--config', configFile], {
      env: { ...environment, [MARKS.instance]: this.identity.instanceMark },
      detached: true, // Ctrl-C in a terminal is for the runtime alone.
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    init.stdin?.on('error', () => undefined); // Nothing is ever written; its end is the message.
    init.on('error', (error) => {
      this.#options.log(`${this.identity.host}: init could not be started: ${error.message}`);
    });
    init.once('exit', () => {
      if (this.#init === init) this.#crashed();
    });
    return init;
  }

  /** Without firmware there is no machine: whatever is left of it ends. */
  #crashed(): void {
    this.#options.log(`${this.identity.host}: init ended by itself; the instance is off`);
    this.powerOff().then(this.#options.onLost, (error: unknown) => {
      this.#options.log(`${this.identity.host}: ${String(error)}`);
    });
  }

  async #endAll(): Promise<void> {
    this.#init = undefined;
    const outcome = await endMarked(mark('instance', this.identity.instanceMark));
    if (outcome === 'left') {
      throw new HaError('timed_out', `${this.identity.host}: processes do not end; the instance stays ${this.#state}`);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined); // Reported to that caller; the next order is taken on its own.
    return done;
  }
}
