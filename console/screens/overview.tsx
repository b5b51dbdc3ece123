import { useState } from 'preact/hooks';
import type { StatusView } from '../../core/protocol/views.ts';
import { page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { CONTROL_FAULTS, type Fault } from '../model/faults.ts';
import { headline, lastHeard } from '../model/overview.ts';
import { to } from '../model/routes.ts';
import { count, span } from '../model/words.ts';
import { Glyph } from '../parts/badge.tsx';
import { breakIt, Offers } from '../parts/break.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { EventList } from '../parts/event-list.tsx';
import { Title } from '../parts/title.tsx';
import { GroupMap } from './group-map.tsx';
import { Hosts } from './host-list.tsx';
import { OpenRuns } from './open-runs.tsx';

const EVENTS_SHOWN = 8;

export function Overview({ status }: { readonly status: StatusView }) {
  const isLocal = useStore(page, ({ session }) => session?.isLocal === true);
  const isAway = useStore(page, ({ link }) => link.is === 'away');
  const now = headline(status);
  const { tone, says } = isAway ? lastHeard(now) : now;
  const slots = status.groups.reduce((sum, group) => sum + group.slots.length, 0);
  return (
    <>
      <header class="hero">
        <Glyph tone={tone} />
        <div>
          <Title tab="Overview">{says}</Title>
          <p class="facts">
            <span>
              {count(status.hosts.length, 'host')}, {count(status.groups.length, 'group')}, {count(slots, 'slot')}
            </span>
            <span>
              a failed host is replaced within <strong class="number">{span(status.bound.recoveryMs)}</strong>
            </span>
            <span>
              an outage of AWS up to <strong class="number">{span(status.bound.outageMs)}</strong> stops nothing
            </span>
          </p>
        </div>
      </header>
      <OpenRuns runs={status.runs} />
      {isLocal && <TryIt status={status} />}
      <Hosts hosts={status.hosts} />
      <GroupMap status={status} />
      <JustHappened />
    </>
  );
}

/** The shortest way to see what this is for: break what runs, on this machine, and watch. */
function TryIt({ status }: { readonly status: StatusView }) {
  const [isOpen, setOpen] = useState(false);
  const victim = status.groups.flatMap((group) => group.slots).find((slot) => slot.phase === 'Active')?.owner ?? null;
  const fault = (name: string): Fault => ({ fault: name, ...(victim === null ? {} : { host: victim }) });
  return (
    <section class="card try" aria-labelledby="try">
      <div>
        <h2 id="try">Break something</h2>
        <p>Real processes on this machine. Whatever you break should be back within the bound.</p>
      </div>
      <div class="row wrap">
        {victim !== null && (
          <>
            <button type="button" class="primary" onClick={() => void breakIt(fault('power-off'), 'Pull the plug')}>
              Pull the plug of {victim}
            </button>
            <button type="button" onClick={() => void breakIt(fault('cut'), 'Cut it off from AWS')}>
              Cut {victim} off
            </button>
          </>
        )}
        <button type="button" onClick={() => setOpen(true)}>
          Control plane…
        </button>
      </div>
      {isOpen && (
        <Dialog title="Break the control plane" onClose={() => setOpen(false)}>
          <Offers offers={CONTROL_FAULTS} onDone={() => setOpen(false)} />
        </Dialog>
      )}
    </section>
  );
}

function JustHappened() {
  const events = useStore(page, (known) => known.events);
  return (
    <section aria-labelledby="happened">
      <div class="row spread">
        <h2 id="happened">What just happened</h2>
        <a href={to.events()}>All events</a>
      </div>
      <div class="card">
        {events.length === 0 ? (
          <p class="aside">Nothing yet.</p>
        ) : (
          <EventList events={events.slice(-EVENTS_SHOWN).toReversed()} />
        )}
      </div>
    </section>
  );
}
