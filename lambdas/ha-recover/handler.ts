/** Carries a run from opening to close. One Lambda, one `step` field, rights on the registry and on directives. */
import * as z from 'zod';
import { unreachable } from '../../core/failures/invariant.ts';
import { edge, type Handler, runName } from '../shared/edge.ts';
import { holdSlot } from '../shared/hold.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { HostFailure, PlannedWork, SlotWork, Work } from '../shared/work.ts';
import { awaitStarted, takeBack } from './await.ts';
import { close } from './close.ts';
import { openFailure, openPlanned } from './open.ts';
import { place } from './place.ts';
import { plan, stop } from './stop.ts';

const Outcome = z.enum(['Alive', 'Duplicate', 'Gone', 'Disconnected', 'Recovered', 'Held']);

const RecoverEvent = z.discriminatedUnion('step', [
  z.strictObject({ step: z.literal('open'), run: runName, input: z.union([HostFailure, PlannedWork]) }),
  z.strictObject({ step: z.literal('stop'), run: runName, work: Work }),
  z.strictObject({ step: z.literal('plan'), run: runName, work: Work }),
  z.strictObject({ step: z.literal('place'), run: runName, work: SlotWork }),
  z.strictObject({ step: z.literal('await-started'), run: runName, work: SlotWork }),
  z.strictObject({ step: z.literal('take-back'), run: runName, work: SlotWork }),
  z.strictObject({ step: z.literal('close'), run: runName, work: Work, outcome: Outcome }),
]);

export function haRecover(ports: ControlPorts): Handler<Work | SlotWork> {
  return edge(ports, RecoverEvent, async (event): Promise<Work | SlotWork> => {
    switch (event.step) {
      case 'open':
        return 'verb' in event.input
          ? openPlanned(ports, event.run, event.input)
          : openFailure(ports, event.run, event.input);
      case 'stop':
        return stop(ports, event.run, event.work);
      case 'plan':
        return plan(ports, event.run, event.work);
      case 'place':
        return heldIfNowhere(ports, await place(ports, event.run, event.work));
      case 'await-started':
        return awaitStarted(ports, event.run, event.work);
      case 'take-back':
        return heldIfNowhere(ports, await takeBack(ports, event.run, event.work));
      case 'close':
        return close(ports, event.run, event.work, event.outcome);
      default:
        return unreachable(event);
    }
  });
}

async function heldIfNowhere(ports: ControlPorts, work: SlotWork): Promise<SlotWork> {
  if (work.next === 'NoHost') await holdSlot(ports, work.cluster, work, work.says);
  return work;
}
