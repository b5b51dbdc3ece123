/**
 * What a call that sweeps once leaves to the next: what it has observed, beside the mark that it has swept. Lambda may
 * give each call another environment, and then nobody would ever be seen twice by the same observer.
 */
import { pack, unpack } from '../../adapters/node/packing.ts';
import { type ObserverMemory, readMemory, writeMemory } from '../../core/detection/written-memory.ts';
import { failureCode, HaError, messageOf } from '../../core/failures/failures.ts';
import type { ObserverRecord } from '../../core/protocol/observer-records.ts';
import type { ControlPorts } from '../shared/ports.ts';

/** In a loop the field is absent: its sweeps share a process. */
export interface MinuteRecord extends ObserverRecord {
  readonly memory?: string;
}

const arrivalNow = ({ boot, wall }: ControlPorts) => ({ at: boot.now(), wall: wall.now() });

export function packMemory(ports: ControlPorts, memory: ObserverMemory): string {
  try {
    return pack(writeMemory(memory, arrivalNow(ports)));
  } catch (error) {
    if (failureCode(error) !== 'limit_exceeded') throw error;
    const hosts = [...memory.clusters.values()].reduce((sum, { watches }) => sum + watches.size, 0);
    const change = 'set findBehind.every to loop, which keeps it in memory';
    throw new HaError('limit_exceeded', `what was observed of ${hosts} hosts fits into no record; ${change}`, {
      cause: error,
    });
  }
}

/** undefined: nothing that this code can read. The next mark replaces it. */
export function unpackMemory(ports: ControlPorts, { memory }: MinuteRecord): ObserverMemory | undefined {
  if (memory === undefined) return undefined;
  let read: ObserverMemory | undefined;
  let why = 'it has another form, or was written by a clock that was ahead';
  try {
    read = readMemory(unpack(memory), arrivalNow(ports));
  } catch (error) {
    why = messageOf(error);
  }
  if (read === undefined) ports.log('warn', `what was observed before cannot be read, and begins anew: ${why}`);
  return read;
}
