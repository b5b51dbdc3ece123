/**
 * What a restarted agent must know of a slot: the order, how it stands, and which processes were started.
 *
 * Written at once and renamed into place. It need not survive a power cut: that ends the services, too.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf } from '../../core/failures/failures.ts';
import type { SlotMemory } from '../../core/supervision/memory.ts';
import type { Life } from './runner.ts';

export interface SlotFile {
  readonly memory: SlotMemory;
  readonly lives: Readonly<Record<string, Life>>;
}

const Shape = z.object({
  memory: z.object({
    order: z.looseObject({
      id: z.string(),
      group: z.string(),
      slot: z.number(),
      epoch: z.number(),
      session: z.string(),
    }),
    standing: z.enum(['up', 'standby', 'halted', 'failed', 'releasing', 'released']),
    why: z.string(),
    releasedEpoch: z.number(),
  }),
  lives: z.record(
    z.string(),
    z.object({ epoch: z.number(), pid: z.number().optional(), startTicks: z.number().optional() }),
  ),
});

export interface SlotFiles {
  write(slot: SlotFile): void;
  /** Those that can be read; `unreadable` is told about the others. */
  readAll(unreadable: (file: string, why: string) => void): readonly SlotFile[];
}

export function createSlotFiles(folder: string): SlotFiles {
  mkdirSync(folder, { recursive: true });
  return {
    write(slot) {
      const { group, slot: number } = slot.memory.order;
      const path = join(folder, `${encodeURIComponent(group)}.${number}.json`);
      writeFileSync(`${path}.new`, JSON.stringify(slot), { mode: 0o600 });
      renameSync(`${path}.new`, path);
    },
    readAll(unreadable) {
      const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
      return files.flatMap((name) => {
        try {
          const json: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
          Shape.parse(json); // The rest of the order is what this agent was given and wrote itself.
          return [json as SlotFile];
        } catch (error) {
          unreadable(name, messageOf(error));
          return [];
        }
      });
    },
  };
}
