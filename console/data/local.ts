/** What only the local front door offers: breaking things, and the true state of the machines. */
import * as z from 'zod';
import type { Fault, Instance } from '../model/faults.ts';
import { request } from './ask.ts';

const Instances = z.looseObject({
  instances: z.array(
    z
      .looseObject({
        host: z.string(),
        power: z.string().optional(),
        state: z.string().optional(),
        isCut: z.boolean().optional(),
        cut: z.boolean().optional(),
      })
      .transform(({ host, power, state, isCut, cut }): Instance => ({
        host,
        power: power ?? state ?? 'on',
        isCut: isCut ?? cut ?? false,
      })),
  ),
});

export async function causeFault(token: string, fault: Fault): Promise<void> {
  await request(token, 'POST', '/local/break', fault);
}

export async function readInstances(token: string): Promise<readonly Instance[]> {
  return Instances.parse(await request(token, 'GET', '/local/instances')).instances;
}
