/** Output of services, in files of bounded size: one per service and the part before it. */
import { closeSync, copyFileSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Unit } from './unit.ts';

const BYTES_MAX = 1_048_576;

export interface ServiceLogs {
  /** Lends an open file for the length of `use`; a child keeps its own copy. */
  lend<T>(unit: Unit, use: (fd: number) => T): T;
  /** Cuts a file that has grown too large. A service appends, so it goes on at the new end. */
  bound(unit: Unit): void;
}

export function createServiceLogs(folder: string): ServiceLogs {
  const pathOf = (unit: Unit): string =>
    join(folder, `${[unit.group, String(unit.slot), unit.service.name].map(encodeURIComponent).join('.')}.log`);

  const bound = (unit: Unit): void => {
    const path = pathOf(unit);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= BYTES_MAX) return;
    copyFileSync(path, `${path}.1`);
    truncateSync(path);
  };

  return {
    bound,
    lend(unit, use) {
      mkdirSync(folder, { recursive: true });
      bound(unit);
      const fd = openSync(pathOf(unit), 'a', 0o600);
      try {
        return use(fd);
      } finally {
        closeSync(fd);
      }
    },
  };
}
