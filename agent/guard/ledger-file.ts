import * as z from 'zod';
import type { Ledger } from '../../core/lease/ledger.ts';

const Cleanup = z.object({
  service: z.string(),
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  timeoutMs: z.number(),
});

const LedgerFile = z.object({
  sessions: z.array(z.string()),
  entries: z.array(
    z.object({
      group: z.string(),
      slot: z.number(),
      epoch: z.number(),
      session: z.string(),
      covered: z.boolean(),
      cleanup: z.array(Cleanup),
    }),
  ),
  floors: z.record(z.string(), z.number()),
  resets: z.number(),
});

/** Throws on anything that this guard did not write. */
export function parseLedger(json: unknown): Ledger {
  return LedgerFile.parse(json);
}
