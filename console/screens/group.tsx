import { useState } from 'preact/hooks';
import type { GroupView, SlotView, StatusView, WhyView } from '../../core/protocol/views.ts';
import { api } from '../data/live.ts';
import { groupStanding, doubted, redundancyWords, slotStanding, type Doubted } from '../model/overview.ts';
import { to } from '../model/routes.ts';
import { evidenceWords, verdictMeaning } from '../model/tones.ts';
import { listed, sentence } from '../model/words.ts';
import { Answer, useAsked } from '../parts/asked.tsx';
import { Badge } from '../parts/badge.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Empty } from '../parts/notice.tsx';
import { Title } from '../parts/title.tsx';
import { MoveDialog } from './move-dialog.tsx';

export function Group(props: { readonly status: StatusView; readonly name: string; readonly slot: number | null }) {
  const group = props.status.groups.find(({ name }) => name === props.name);
  if (group === undefined)
    return (
      <>
        <Title tab="Group">{props.name}</Title>
        <Empty title="There is no such group">
          <p>
            It may have been removed. <a href={to.overview()}>Back to the overview</a>
          </p>
        </Empty>
      </>
    );
  const doubts = doubted(props.status);
  const chosen = group.slots.find(({ slot }) => slot === props.slot) ?? group.slots[0];
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={to.overview()}>Overview</a>
      </nav>
      <header class="row wrap">
        <Title tab={group.name}>{group.name}</Title>
        <Badge of={groupStanding(group, doubts)} />
      </header>
      <p class="lead">
        {sentence(redundancyWords(group))}{' '}
        {group.covered
          ? 'A host that loses its lease stops it, so that it never runs twice.'
          : 'It may run twice without harm, so a lost lease does not stop it.'}
      </p>
      {group.standbys.length > 0 && (
        <p>
          Standing by:{' '}
          {group.standbys.map((host, n) => (
            <span key={host}>
              {n > 0 && ', '}
              <a href={to.host(host)}>{host}</a>
            </span>
          ))}
        </p>
      )}
      <h2>Slots</h2>
      <SlotTable group={group} chosen={chosen?.slot ?? null} doubts={doubts} />
      {chosen !== undefined && <Why group={group.name} slot={chosen} />}
    </>
  );
}

function SlotTable(props: { readonly group: GroupView; readonly chosen: number | null; readonly doubts: Doubted }) {
  const { group, chosen, doubts } = props;
  const [moving, setMoving] = useState<SlotView | null>(null);
  const { shown, more, left } = usePages(group.slots);
  if (group.slots.length === 0) return <Empty title="No slot was placed yet" />;
  return (
    <div class="card flush">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Slot</th>
              <th scope="col">State</th>
              <th scope="col">Owner</th>
              <th scope="col" class="right">
                Epoch
              </th>
              <th scope="col">Why</th>
              <th scope="col">
                <span class="sr">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((slot) => (
              <tr key={slot.slot} aria-current={slot.slot === chosen ? 'true' : undefined}>
                <th scope="row">
                  <a href={to.group(group.name, slot.slot)}>{slot.slot}</a>
                </th>
                <td>
                  <Badge of={slotStanding(slot, doubts)} />
                </td>
                <td>{slot.owner === null ? 'nobody' : <a href={to.host(slot.owner)}>{slot.owner}</a>}</td>
                <td class="number right">{slot.epoch}</td>
                <td class="wide">
                  {sentence(slot.why)}
                  {slot.evidenceKind !== null && (
                    <span class="aside"> It changed hands because {evidenceWords(slot.evidenceKind)}.</span>
                  )}
                </td>
                <td class="right">
                  <button type="button" class="small" disabled={slot.owner === null} onClick={() => setMoving(slot)}>
                    Move…<span class="sr"> slot {slot.slot}</span>
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More left={left} onMore={more} what="slots" />
      {moving !== null && <MoveDialog group={group.name} slot={moving} onClose={() => setMoving(null)} />}
    </div>
  );
}

/** Asked again whenever the slot changes: an answer about an earlier owner would be a wrong one. */
function Why({ group, slot }: { readonly group: string; readonly slot: SlotView }) {
  const key = `${group}/${slot.slot} ${slot.owner ?? ''} ${slot.epoch} ${slot.phase}`;
  const { asked, again } = useAsked(key, () => api().why(group, slot.slot));
  return (
    <section aria-labelledby="why">
      <h2 id="why">
        Why here: {group}/{slot.slot}
      </h2>
      <p class="aside">
        Where this slot could run now, and why not elsewhere. May take over: {listed(slot.candidates, 8)}.
      </p>
      <Answer of={asked} again={again} waiting="Working it out…">
        {(view) => <WhyTable view={view} />}
      </Answer>
    </section>
  );
}

function WhyTable({ view }: { readonly view: WhyView }) {
  const { shown, more, left } = usePages(view.hosts);
  const parts = [...new Set(view.hosts.flatMap(({ scores }) => Object.keys(scores ?? {})))];
  return (
    <div class="card flush">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">Host</th>
              <th scope="col">Answer</th>
              <th scope="col">Why</th>
              {parts.map((part) => (
                <th scope="col" class="right" key={part}>
                  {part}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ host, verdict, why, change, scores }) => (
              <tr key={host}>
                <th scope="row" class="name">
                  <a href={to.host(host)}>{host}</a>
                </th>
                <td>
                  <Badge of={verdictMeaning(verdict)} />
                </td>
                <td class="wide">
                  {sentence(why)}
                  {change !== null && <span class="change"> {sentence(change)}</span>}
                </td>
                {parts.map((part) => (
                  <td class="number right" key={part}>
                    {scores?.[part] ?? '–'}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <More left={left} onMore={more} what="hosts" />
    </div>
  );
}
