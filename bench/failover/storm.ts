/** After a fault that must change nothing: who was touched all the same. */
import type { StatusView } from '../../core/protocol/views.ts';
import type { SlotFigures } from './measure.ts';

/** One boot of each machine. Whoever is stopped boots anew, or is off. */
export type Boots = Readonly<Record<string, string>>;

export interface Harm {
  readonly before: StatusView;
  readonly after: StatusView;
  readonly bootsBefore: Boots;
  readonly bootsAfter: Boots;
  readonly slots: readonly SlotFigures[];
}

export function findTouched({ before, after, bootsBefore, bootsAfter, slots }: Harm): readonly string[] {
  const machines = Object.entries(bootsBefore).filter(([host, boot]) => bootsAfter[host] !== boot);
  const owned = ownersOf(before);
  const moved = Object.entries(ownersOf(after)).filter(([slot, owner]) => owned[slot] !== owner);
  const interrupted = slots.filter(({ downtimeMs }) => downtimeMs !== 0);
  return [
    ...machines.map(([host]) => `the machine of ${host} was stopped`),
    ...moved.map(([slot, owner]) => `${slot} was ${owned[slot] ?? 'nowhere'} and is ${owner}`),
    ...interrupted.map(({ slot }) => `${slot} was interrupted`),
  ];
}

function ownersOf(status: StatusView): Record<string, string> {
  return Object.fromEntries(
    status.groups.flatMap(({ name, slots }) =>
      slots.map(({ slot, owner, epoch }) => [
        `${name}/${String(slot)}`,
        `on ${owner ?? 'no host'}, epoch ${String(epoch)}`,
      ]),
    ),
  );
}
