import { useState } from 'preact/hooks';
import type { StatusView } from '../../core/protocol/views.ts';
import { api, nowMs, page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { awayWords } from '../model/connection.ts';
import { CONTROL_FAULTS } from '../model/faults.ts';
import { Glyph } from './badge.tsx';
import { breakIt } from './break.tsx';
import { PlanDialog } from './plan.tsx';

/** What is on the screen is old: since when, and what is being done about it. Read out once, not every second. */
export function AwayBanner() {
  const link = useStore(page, (known) => known.link);
  const shownAtMs = useStore(page, ({ status, receivedAtMs }) => (status === null ? null : receivedAtMs));
  const isLocal = useStore(page, ({ session }) => session?.isLocal === true);
  const now = useStore(nowMs, (value) => (link.is === 'away' ? Math.floor(value / 1_000) * 1_000 : 0));
  const start = CONTROL_FAULTS.flatMap(({ undo }) => undo ?? [])[0];
  return (
    <div role="alert">
      {link.is === 'away' && (
        <div class="away-banner">
          <Glyph tone="warn" />
          <p>
            <strong class="sr">The API is away.</strong>
            <strong class="number" aria-hidden="true">
              {awayWords(link, Math.max(now, link.sinceMs), shownAtMs)}
            </strong>{' '}
            <span class="away-more">
              This page tries again by itself. Hosts run on as long as they can renew their leases.
            </span>{' '}
            <span class="away-why">Why: {link.why}</span>
          </p>
          {isLocal && start !== undefined && (
            <button type="button" class="small" onClick={() => void breakIt(start.fault, start.title)}>
              Start the control plane
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** The kill switch, where it cannot be overlooked. */
export function SwitchedOff({ status }: { readonly status: StatusView }) {
  const [isOpen, setOpen] = useState(false);
  if (status.haEnabled && !isOpen) return null;
  return (
    <div class="note warn">
      <Glyph tone="warn" />
      <span class="note-says">
        <strong>Automatic failover is switched off.</strong> Nothing is started, moved or fenced by itself.
      </span>
      <button type="button" class="small" onClick={() => setOpen(true)}>
        Switch on…
      </button>
      {isOpen && (
        <PlanDialog
          title="Switch automatic failover on"
          says="Everything that waits for a failover is looked at again at once."
          verb="Switch on"
          needsReason={false}
          needsName={null}
          isDangerous={false}
          plan={() => api().switch({ haEnabled: true, dryRun: true })}
          act={({ reason }) =>
            api().switch({ haEnabled: true, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) })
          }
          onClose={() => setOpen(false)}
        />
      )}
    </div>
  );
}
