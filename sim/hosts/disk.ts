/**
 * The disk of a machine: it survives crashes and reboots. A write is durable when its promise resolves; a crash before
 * leaves the old content or the new, never half of one.
 */
import { messageOf } from '../../core/failures/failures.ts';
import type { FileStore, Timers } from '../../core/ports.ts';
import type { Millis } from '../../core/time/time.ts';
import type { SlotFile, SlotFiles } from '../../agent/services/slot-file.ts';
import type { SimProcess } from '../kernel/process.ts';
import type { Random } from '../kernel/random.ts';

/** A write with its sync. */
const WRITE_MS = [1, 12] as const;
const SLOW_WRITE_MS = [100, 1_500] as const;
const READ_MS = [0.2, 2] as const;
const SLOTS = 'slots/';

interface UnderWay {
  readonly name: string;
  readonly text: string;
}

/** A fault in the world, not a bug: a process that cannot do without the write ends by it. */
export class DiskFull extends Error {}

export class Disk {
  isFull = false;
  readonly #files: Map<string, string>;
  readonly #random: Random;
  readonly #isSlow: () => boolean;
  readonly #underWay = new Set<UnderWay>();

  /** `isSlow` is asked about each write. */
  constructor(random: Random, isSlow: () => boolean, files: ReadonlyMap<string, string> = new Map()) {
    this.#random = random;
    this.#isSlow = isSlow;
    this.#files = new Map(files);
  }

  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** The power has gone: of each write under way the disk kept all or nothing. */
  crash(): void {
    for (const { name, text } of this.#underWay) if (this.#random.chance(0.5)) this.#files.set(name, text);
    this.#underWay.clear();
  }

  clear(): void {
    this.#files.clear();
  }

  /** As the file store of `adapters/node`: writes of one process take effect in order. */
  store<T>(name: string, by: SimProcess, kernel: Timers, parse: (json: unknown) => T): FileStore<T> {
    let last: Promise<void> = Promise.resolve();
    return {
      read: () =>
        by.call(async () => {
          await waited(kernel, this.#random.between(...READ_MS));
          const text = this.#files.get(name);
          if (text === undefined) return { state: 'absent' as const };
          try {
            return { state: 'read' as const, value: parse(JSON.parse(text)) };
          } catch (error) {
            return { state: 'unreadable' as const, why: messageOf(error) };
          }
        }),
      write: (value) => {
        const text = JSON.stringify(value);
        const written = last.then(() => by.call(() => this.#replace({ name, text }, kernel)));
        last = written.catch(() => undefined);
        return written;
      },
    };
  }

  /** Written without waiting, as the agent writes them; one that is killed at it leaves the old file. */
  slotFiles(by: SimProcess): SlotFiles {
    return {
      write: (slot) => {
        by.onCall?.('before');
        if (!by.isAlive) return;
        this.#refuseIfFull();
        const { group, slot: no } = slot.memory.order;
        this.#files.set(`${SLOTS}${group}.${no}`, JSON.stringify(slot));
      },
      readAll: () =>
        [...this.#files].filter(([name]) => name.startsWith(SLOTS)).map(([, text]) => JSON.parse(text) as SlotFile),
    };
  }

  async #replace(write: UnderWay, kernel: Timers): Promise<void> {
    this.#refuseIfFull();
    this.#underWay.add(write);
    const [least, most] = this.#isSlow() ? SLOW_WRITE_MS : WRITE_MS;
    await waited(kernel, this.#random.between(least, most));
    this.#underWay.delete(write);
    this.#refuseIfFull();
    this.#files.set(write.name, write.text);
  }

  #refuseIfFull(): void {
    if (this.isFull) throw new DiskFull('ENOSPC: no space left on device');
  }
}

function waited(timers: Timers, ms: Millis): Promise<void> {
  return new Promise((resolve) => void timers.after(ms, resolve));
}
