/** One instance of the local fleet: power, network and faults of its processes. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { openSync, closeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile } from '../../adapters/node/file-store.ts';
import type { HostConfig } from '../../adapters/node/host-config.ts';
import { MARKS, mark } from '../../adapters/node/marks.ts';
import { endMarked } from '../../adapters/node/processes.ts';
import { HaError } from '../../core/failures/failures.ts';
import type { HostProxy } from './proxy.ts';

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
  readonly environment: NodeJS.ProcessEnv;
  readonly proxy: HostProxy;
  /** Moment of the last start, from an earlier life of the runtime. */
  readonly lastLaunchTime: string | undefined;
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

  /** Every process at once, without warning, as when power fails. */
  powerOff(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'stopped') return;
      this.#state = 'stopping';
      await this.#endAll();
      this.#state = 'stopped';
    });
  }

  /** Power off and on again: a new boot of the same launch. */
  reboot(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state !== 'running') {
        throw new HaError('conflict', `${this.identity.host} is ${this.#state}; only a running instance reboots`);
      }
      await this.#endAll();
      await this.#boot();
    });
  }

  async #boot(): Promise<void> {
    await this.#endAll(); // Whatever an earlier runtime may have left.
    this.#bootId = randomUUID();
    const { folder } = this.#options;
    await mkdir(this.identity.stateDir, { recursive: true });
    const config: HostConfig = { ...this.identity, bootId: this.#bootId, launchTime: this.#launchTime };
    const configFile = join(folder, 'config.json');
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
    this.powerOff().catch((error: unknown) => {
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
