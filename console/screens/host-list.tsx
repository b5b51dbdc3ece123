import { useState } from 'preact/hooks';
import type { HostView } from '../../core/protocol/views.ts';
import type { HostFilter } from '../model/overview.ts';
import { BOARD_COLUMNS_MAX, findHosts, isPast as hasPassed } from '../model/overview.ts';
import { to } from '../model/routes.ts';
import { adminMeaning, guardWords, hostMeaning, slotMeaning } from '../model/tones.ts';
import { sentence } from '../model/words.ts';
import { page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { Badge } from '../parts/badge.tsx';
import { Beat } from '../parts/beat.tsx';
import { BreakButton, Undo } from '../parts/break.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Empty } from '../parts/notice.tsx';

export function Hosts({ hosts }: { readonly hosts: readonly HostView[] }) {
  const isSmall = hosts.length <= BOARD_COLUMNS_MAX;
  return (
    <section aria-labelledby="hosts">
      <h2 id="hosts">Hosts</h2>
      {hosts.length === 0 ? (
        <Empty title="No host is defined">
          <p>
            Apply a definition with hosts: <code>holdfast apply cluster.yaml</code>
          </p>
        </Empty>
      ) : isSmall ? (
        <div class="host-cards">
          {hosts.map((host) => (
            <HostCard key={host.name} host={host} />
          ))}
        </div>
      ) : (
        <HostTable hosts={hosts} />
      )}
    </section>
  );
}

function HostCard({ host }: { readonly host: HostView }) {
  const isLocal = useStore(page, ({ session }) => session?.isLocal === true);
  const meaning = hostMeaning(host.status);
  return (
    <article class={`card host-card ${meaning.tone}`} aria-label={`Host ${host.name}`}>
      <header class="row spread">
        <h3 class="name">
          <a href={to.host(host.name)}>{host.name}</a>
        </h3>
        <Badge of={meaning} />
      </header>
      <div class="row spread host-vital">
        <Beat host={host} />
        <span class="aside">{host.zone === null ? 'no zone' : `zone ${host.zone}`}</span>
      </div>
      {meaning.tone !== 'good' && <p class="host-why">{sentence(host.why)}</p>}
      {host.claimRun !== null && (
        <p class="host-why">
          <a href={to.run(host.claimRun)}>A run works on it now</a>
        </p>
      )}
      {host.admin !== 'enabled' && (
        <p class="host-why">
          <Badge of={adminMeaning(host.admin)} /> {host.adminReason}
        </p>
      )}
      <SlotChips host={host} />
      <footer class="row spread host-foot">
        {host.guardLevel === null ? (
          <span class="aside">no guard yet</span>
        ) : (
          <span class="aside" title={guardWords(host.guardLevel)}>
            guard: {host.guardLevel}
          </span>
        )}
        {isLocal && <BreakButton host={host} />}
      </footer>
      {isLocal && <Undo host={host.name} />}
    </article>
  );
}

/** What the host itself last reported. Of a host that is over, that is history, and looks it. */
export function SlotChips({ host, max = 6 }: { readonly host: HostView; readonly max?: number }) {
  const isPast = hasPassed(host);
  if (host.slots.length === 0) return <p class="aside chips">Runs nothing.</p>;
  return (
    <ul class={`chips ${isPast ? 'past' : ''}`} aria-label={isPast ? 'What it ran last' : 'What it runs'}>
      {host.slots.slice(0, max).map((slot) => {
        const meaning = slotMeaning(slot.phase);
        return (
          <li key={`${slot.group}/${slot.slot}`}>
            <a
              class="chip"
              href={to.group(slot.group, slot.slot)}
              title={isPast ? 'Last reported, before it fell silent' : meaning.says}
            >
              <span class={`dot ${isPast ? 'quiet' : meaning.tone}`} aria-hidden="true" />
              <span class="chip-name">
                {slot.group}/{slot.slot}
              </span>
              <span class="chip-state">
                {isPast ? `was ${meaning.word.toLowerCase()}` : meaning.word.toLowerCase()}
              </span>
            </a>
          </li>
        );
      })}
      {host.slots.length > max && (
        <li>
          <a class="chip" href={to.host(host.name)}>
            {host.slots.length - max} more
          </a>
        </li>
      )}
    </ul>
  );
}

const FILTERS: readonly (readonly [HostFilter, string])[] = [
  ['all', 'All hosts'],
  ['trouble', 'Not up'],
  ['withheld', 'Not enabled'],
];

function HostTable({ hosts }: { readonly hosts: readonly HostView[] }) {
  const [text, setText] = useState('');
  const [only, setOnly] = useState<HostFilter>('all');
  const found = findHosts(hosts, { text, only });
  const { shown, more, left } = usePages(found);
  return (
    <div class="card flush">
      <div class="filters">
        <label class="field grow">
          <span class="sr">Find hosts by name, zone, label or slot</span>
          <input
            type="search"
            placeholder="Name, zone, label or slot"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="sr">Which hosts</span>
          <select
            value={only}
            onChange={(event) => setOnly(FILTERS.find(([key]) => key === event.currentTarget.value)?.[0] ?? 'all')}
          >
            {FILTERS.map(([key, says]) => (
              <option key={key} value={key}>
                {says}
              </option>
            ))}
          </select>
        </label>
        <span class="aside number" role="status">
          {found.length} of {hosts.length}
        </span>
      </div>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">Status</th>
              <th scope="col">Last beat</th>
              <th scope="col">Zone</th>
              <th scope="col">Runs</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((host) => (
              <HostRow key={host.name} host={host} />
            ))}
          </tbody>
        </table>
      </div>
      {found.length === 0 && <Empty title="No host fits these filters" />}
      <More left={left} onMore={more} what="hosts" />
    </div>
  );
}

function HostRow({ host }: { readonly host: HostView }) {
  return (
    <tr>
      <th scope="row" class="name">
        <a href={to.host(host.name)}>{host.name}</a>
      </th>
      <td>
        <Badge of={hostMeaning(host.status)} />
        {host.admin !== 'enabled' && <Badge of={adminMeaning(host.admin)} />}
      </td>
      <td>
        <Beat host={host} />
      </td>
      <td>{host.zone ?? '–'}</td>
      <td>
        <SlotChips host={host} max={3} />
      </td>
    </tr>
  );
}
