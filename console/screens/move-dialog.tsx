import { useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { SlotView } from '../../core/protocol/views.ts';
import { api } from '../data/live.ts';
import { note } from '../data/note.ts';
import { to } from '../model/routes.ts';
import { Answer, useAsked } from '../parts/asked.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/notice.tsx';
import { PlanText } from '../parts/plan.tsx';

export function MoveDialog(props: { readonly group: string; readonly slot: SlotView; readonly onClose: () => void }) {
  const { group, slot, onClose } = props;
  const where = `${group}/${slot.slot}`;
  const [target, setTarget] = useState('');
  const [trouble, setTrouble] = useState<string | null>(null);
  const request = { slot: slot.slot, ...(target === '' ? {} : { to: target }) };
  const { asked, again } = useAsked(target, () => api().move(group, { ...request, dryRun: true }));
  const move = (event: Event): void => {
    event.preventDefault();
    api()
      .move(group, request)
      .then(
        ({ run }) => {
          const link = run === null ? {} : { link: { href: to.run(run), says: 'Watch the run' } };
          note.set({ tone: 'busy', says: `${where} is on its way.`, ...link });
          onClose();
        },
        (error: unknown) => setTrouble(messageOf(error)),
      );
  };
  return (
    <Dialog title={`Move ${where}`} onClose={onClose}>
      <p class="aside">
        It is released on {slot.owner ?? 'its owner'} before it starts elsewhere: a short pause, never two at once.
      </p>
      <form onSubmit={move}>
        <label class="field">
          <span>To</span>
          <select value={target} onChange={(event) => setTarget(event.currentTarget.value)}>
            <option value="">the best host</option>
            {slot.candidates
              .filter((host) => host !== slot.owner)
              .map((host) => (
                <option key={host} value={host}>
                  {host}
                </option>
              ))}
          </select>
        </label>
        <Answer of={asked} again={again} waiting="Working out what would happen…">
          {({ plan }) => <PlanText plan={{ plan, objections: [] }} />}
        </Answer>
        {trouble !== null && <Trouble says={trouble} />}
        <footer class="dialog-foot">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={asked.is !== 'there'}>
            Move
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
