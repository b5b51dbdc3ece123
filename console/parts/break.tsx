import { useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { HostView } from '../../core/protocol/views.ts';
import { api, page } from '../data/live.ts';
import { causeFault } from '../data/local.ts';
import { note } from '../data/note.ts';
import { useStore } from '../data/store.ts';
import { type Fault, type FaultOffer, hostFaults, serviceFaults, undoFor } from '../model/faults.ts';
import { useAsked } from './asked.tsx';
import { Dialog } from './dialog.tsx';

/** Breaks it, and says so where the eye stays: the page itself shows what follows. */
export async function breakIt(fault: Fault, title: string): Promise<void> {
  const about = fault.host === undefined ? title : `${title} (${fault.host})`;
  try {
    await causeFault(page.get().session?.token ?? '', fault);
    note.set({ tone: 'busy', says: `${about}: done. Watch what follows.` });
  } catch (error) {
    note.set({ tone: 'bad', says: `${about}: not done. ${messageOf(error)}` });
  }
}

export function BreakButton({ host }: { readonly host: HostView }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" class="small" onClick={() => setOpen(true)}>
        Break it…<span class="sr"> ({host.name})</span>
      </button>
      {isOpen && (
        <Dialog title={`Break ${host.name}`} onClose={() => setOpen(false)}>
          <p class="aside">These are real processes on this machine. Nothing outside of it is touched.</p>
          <Faults host={host} onDone={() => setOpen(false)} />
        </Dialog>
      )}
    </>
  );
}

/** Everything that can be broken on one host and in its services. */
export function Faults({ host, onDone }: { readonly host: HostView; readonly onDone?: () => void }) {
  const { asked } = useAsked('definition', () => api().definition());
  const groups = asked.is === 'there' ? asked.value.definition.groups : [];
  const services = host.slots
    .filter((slot) => slot.phase !== 'Standby' && slot.phase !== 'Stopped')
    .flatMap(({ group, slot }) =>
      (groups.find(({ name }) => name === group)?.services ?? []).map((service) => ({
        host: host.name,
        group,
        slot,
        service: service.name,
      })),
    );
  return (
    <>
      <Offers offers={hostFaults(host.name)} onDone={onDone} />
      {services.length > 0 && <h3 class="offers-title">Its services</h3>}
      {services.map((at) => (
        <Offers key={`${at.group}/${at.slot}/${at.service}`} offers={serviceFaults(at)} onDone={onDone} />
      ))}
    </>
  );
}

export function Offers({
  offers,
  onDone,
}: {
  readonly offers: readonly FaultOffer[];
  readonly onDone?: (() => void) | undefined;
}) {
  const cause = (fault: Fault, title: string): void => {
    onDone?.();
    void breakIt(fault, title);
  };
  return (
    <ul class="offers">
      {offers.map(({ fault, title, says, undo }) => (
        <li key={`${fault.fault}${fault.mode ?? ''}`}>
          <div class="offer-says">
            <strong>{title}</strong>
            <p>{says}</p>
          </div>
          <div class="offer-buttons">
            {undo !== null && (
              <button type="button" class="small text-button" onClick={() => cause(undo.fault, undo.title)}>
                {undo.title}
              </button>
            )}
            <button type="button" class="small" onClick={() => cause(fault, title)}>
              Do it<span class="sr">: {title}</span>
            </button>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** The way back, where the machine itself shows that something was broken. */
export function Undo({ host }: { readonly host: string }) {
  const instance = useStore(page, ({ instances }) => instances.find((one) => one.host === host));
  const undo = instance === undefined ? null : undoFor(instance);
  if (undo === null) return null;
  return (
    <div class="undo">
      <span>{undo.says}</span>
      <button type="button" class="small primary" onClick={() => void breakIt(undo.fault, undo.title)}>
        {undo.title}
        <span class="sr"> ({host})</span>
      </button>
    </div>
  );
}
