/**
 * What a host reports. It writes these records itself, and whoever has the host may write anything there (S16): what is no
 * report is none (S8), and its words, which the records of groups and runs repeat, are cut.
 */
import * as z from 'zod';
import { keys, type Report } from '../../core/protocol/records.ts';
import type { ControlPorts } from './ports.ts';

const DETAIL_MAX = 1_024;

const HostReport = z.object({
  order: z.string().max(300),
  session: z.string().max(100),
  group: z.string().max(100),
  slot: z.int(),
  epoch: z.int(),
  outcome: z.enum(['started', 'failed', 'released', 'standing-by', 'refused']),
  detail: z
    .string()
    .default('')
    .transform((text) => text.slice(0, DETAIL_MAX).toWellFormed()),
});

export async function readReport(
  ports: Pick<ControlPorts, 'registry'>,
  principal: string,
  order: string,
): Promise<Report | undefined> {
  const stored = await ports.registry.get<unknown>(keys.report(principal, order));
  return stored === undefined ? undefined : HostReport.safeParse(stored.body).data;
}
