import { useState } from 'preact/hooks';
import type { HostView, StatusView } from '../../core/protocol/views.ts';
import { api, page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { isAbout } from '../model/events.ts';
import { to } from '../model/routes.ts';
import { adminMeaning, guardWords, hostMeaning } from '../model/tones.ts';
import { sentence } from '../model/words.ts';
import { type VerbOffer, verbsFor } from '../model/verbs.ts';
import { Badge } from '../parts/badge.tsx';
import { Beat } from '../parts/beat.tsx';
import { Faults, Undo } from '../parts/break.tsx';
import { EventList } from '../parts/event-list.tsx';
import { Empty } from '../parts/notice.tsx';
import { PlanDialog } from '../parts/plan.tsx';
import { Title } from '../parts/title.tsx';
import { SlotChips } from './host-list.tsx';

const EVENTS_SHOWN = 10;

export function Host({ status, name }: { readonly status: StatusView; readonly name: string }) {
  const host = status.hosts.find((candidate) => candidate.name === name);
  const isLocal = useStore(page, ({ session }) => session?.isLocal === true);
  if (host === undefined)
    return (
      <>
        <Title tab="Host">{name}</Title>
        <Empty title="There is no such host">
          <p>
            It may have been removed. <a href={to.overview()}>Back to the overview</a>
          </p>
        </Empty>
      </>
    );
  const meaning = hostMeaning(host.status);
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={to.overview()}>Overview</a>
      </nav>
      <header class="row wrap">
        <Title tab={name}>{name}</Title>
        <Badge of={meaning} />
      </header>
      <p class="lead">
        {meaning.says} {sentence(host.why)}
      </p>
      {isLocal && <Undo host={name} />}
      <div class="columns">
        <div class="stack">
          <Facts host={host} />
          <Actions host={host} />
        </div>
        <div class="stack">
          <section class="card" aria-labelledby="runs-here">
            <h2 id="runs-here">Runs here</h2>
            <SlotChips host={host} max={200} />
          </section>
          {isLocal && (
            <section class="card" aria-labelledby="break-here">
              <h2 id="break-here">Break it</h2>
              <Faults host={host} />
            </section>
          )}
        </div>
      </div>
      <HostEvents name={name} />
    </>
  );
}

function Facts({ host }: { readonly host: HostView }) {
  const rows: readonly (readonly [string, preact.ComponentChildren])[] = [
    ['Last beat', <Beat key="beat" host={host} />],
    ['Guard', host.guardLevel === null ? 'not registered yet' : `${host.guardLevel}: ${guardWords(host.guardLevel)}`],
    ['Admin state', <Admin key="admin" host={host} />],
    ['Zone', host.zone ?? 'none'],
    ['Machine', host.machine === null ? 'unknown' : <code key="machine">{host.machine}</code>],
    ['Session', host.session === null ? 'none' : <code key="session">{host.session}</code>],
    ['Fenced by', host.fencing.map((level) => level.join(' and ')).join(', then ') || 'nothing'],
    [
      'Labels',
      Object.entries(host.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ') || 'none',
    ],
  ];
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <dl class="pairs">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {host.claimRun !== null && (
        <p>
          <a href={to.run(host.claimRun)}>The run that works on it now</a>
        </p>
      )}
    </section>
  );
}

function Admin({ host }: { readonly host: HostView }) {
  const meaning = adminMeaning(host.admin);
  return (
    <>
      {meaning.word}
      {host.adminReason !== '' && `: ${host.adminReason}`}
    </>
  );
}

function Actions({ host }: { readonly host: HostView }) {
  const [chosen, setChosen] = useState<VerbOffer | null>(null);
  return (
    <section class="card" aria-labelledby="actions">
      <h2 id="actions">Actions</h2>
      <ul class="offers">
        {verbsFor(host).map((offer) => (
          <li key={offer.verb}>
            <div class="offer-says">
              <strong>{offer.title}</strong>
              <p>{offer.says}</p>
            </div>
            <button
              type="button"
              class={`small ${offer.isDangerous ? 'danger-line' : ''}`}
              onClick={() => setChosen(offer)}
            >
              {offer.title}…
            </button>
          </li>
        ))}
        <li>
          <div class="offer-says">
            <strong>What if it failed?</strong>
            <p>Shows where everything would go. Nothing is changed.</p>
          </div>
          <a class="button small" href={to.whatIf(host.name)}>
            What if
          </a>
        </li>
      </ul>
      {chosen !== null && <VerbDialog host={host.name} offer={chosen} onClose={() => setChosen(null)} />}
    </section>
  );
}

function VerbDialog(props: { readonly host: string; readonly offer: VerbOffer; readonly onClose: () => void }) {
  const { host, offer, onClose } = props;
  return (
    <PlanDialog
      title={`${offer.title} ${host}`}
      says={offer.says}
      verb={`${offer.title} ${host}`}
      needsReason={offer.needsReason}
      needsName={offer.needsName ? host : null}
      isDangerous={offer.isDangerous}
      // A plan is written nowhere; a reason and a name are asked for before anything is done.
      plan={() =>
        api().host(host, offer.verb, {
          dryRun: true,
          reason: 'the reason that you give',
          ...(offer.needsName ? { confirm: host } : {}),
        })
      }
      act={({ reason, force, name }) =>
        api().host(host, offer.verb, {
          ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
          ...(force ? { force } : {}),
          ...(offer.needsName ? { confirm: name } : {}),
        })
      }
      onClose={onClose}
    />
  );
}

function HostEvents({ name }: { readonly name: string }) {
  const events = useStore(page, (known) => known.events);
  const about = events
    .filter((event) => isAbout(event, name))
    .slice(-EVENTS_SHOWN)
    .toReversed();
  return (
    <section aria-labelledby="host-events">
      <div class="row spread">
        <h2 id="host-events">What happened to it</h2>
        <a href={to.events(name)}>All about {name}</a>
      </div>
      <div class="card">{about.length === 0 ? <p class="aside">Nothing lately.</p> : <EventList events={about} />}</div>
    </section>
  );
}
