import { useState } from 'preact/hooks';
import type { GroupView, SlotView, StatusView } from '../../core/protocol/views.ts';
import type { Board, BoardCell } from '../model/overview.ts';
import {
  boardOf,
  findGroups,
  groupStanding,
  doubted,
  type Doubted,
  redundancyWords,
  slotStanding,
} from '../model/overview.ts';
import { to } from '../model/routes.ts';
import { count } from '../model/words.ts';
import { Badge } from '../parts/badge.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Empty } from '../parts/notice.tsx';

export function GroupMap({ status }: { readonly status: StatusView }) {
  const board = boardOf(status);
  const doubts = doubted(status);
  return (
    <section aria-labelledby="groups">
      <h2 id="groups">Who runs what</h2>
      {status.groups.length === 0 ? (
        <Empty title="No group is defined">
          <p>A group says which services run together, and how many of them.</p>
        </Empty>
      ) : board === null ? (
        <GroupList groups={status.groups} doubts={doubts} />
      ) : (
        <BoardTable board={board} doubts={doubts} />
      )}
    </section>
  );
}

function BoardTable({ board, doubts }: { readonly board: Board; readonly doubts: Doubted }) {
  const hasUnowned = board.rows.some((row) => row.unowned.length > 0);
  return (
    <div class="card flush scroll">
      <table class="board">
        <thead>
          <tr>
            <th scope="col">Group</th>
            {board.hosts.map((host) => (
              <th scope="col" key={host} class="name">
                {host}
              </th>
            ))}
            {hasUnowned && <th scope="col">Nowhere</th>}
          </tr>
        </thead>
        <tbody>
          {board.rows.map(({ group, cells, unowned }) => (
            <tr key={group.name}>
              <th scope="row">
                <GroupName group={group} doubts={doubts} />
              </th>
              {cells.map((cell) => (
                <td
                  key={cell.host}
                  data-host={cell.host}
                  class={cell.slots.length === 0 && !cell.isStandby ? 'vacant' : ''}
                >
                  <Cell cell={cell} group={group.name} doubts={doubts} />
                </td>
              ))}
              {hasUnowned && (
                <td data-host="nowhere" class={unowned.length === 0 ? 'vacant' : ''}>
                  {unowned.map((slot) => (
                    <SlotTile key={slot.slot} slot={slot} group={group.name} doubts={doubts} />
                  ))}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function GroupName({ group, doubts }: { readonly group: GroupView; readonly doubts: Doubted }) {
  return (
    <div class="group-name">
      <a class="name" href={to.group(group.name)}>
        {group.name}
      </a>
      <Badge of={groupStanding(group, doubts)} plain />
      <span class="aside">{redundancyWords(group)}</span>
    </div>
  );
}

function Cell({ cell, group, doubts }: { readonly cell: BoardCell; readonly group: string; readonly doubts: Doubted }) {
  if (cell.slots.length === 0 && !cell.isStandby) return <span class="sr">nothing</span>;
  return (
    <>
      {cell.slots.map((slot) => (
        <SlotTile key={slot.slot} slot={slot} group={group} doubts={doubts} />
      ))}
      {cell.isStandby && <span class="tile standby">Standby</span>}
    </>
  );
}

function SlotTile({
  slot,
  group,
  doubts,
}: {
  readonly slot: SlotView;
  readonly group: string;
  readonly doubts: Doubted;
}) {
  const meaning = slotStanding(slot, doubts);
  return (
    <a class={`tile ${meaning.tone}`} href={to.group(group, slot.slot)} title={meaning.says}>
      <span class={`dot ${meaning.tone}`} aria-hidden="true" />
      <span class="tile-name">
        <span class="sr">{group}/</span>
        {slot.slot} <span class="tile-word">{meaning.word}</span>
      </span>
      <span class="tile-epoch number" title={`Epoch ${slot.epoch}: it rises with each change of owner`}>
        e{slot.epoch}
      </span>
    </a>
  );
}

const TILES_MAX = 8;

function GroupList({ groups, doubts }: { readonly groups: readonly GroupView[]; readonly doubts: Doubted }) {
  const [text, setText] = useState('');
  const [onlyTrouble, setOnlyTrouble] = useState(false);
  const found = findGroups(groups, { text, onlyTrouble });
  const { shown, more, left } = usePages(found);
  return (
    <div class="card flush">
      <div class="filters">
        <label class="field grow">
          <span class="sr">Find groups by name or owner</span>
          <input
            type="search"
            placeholder="Group or owner"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={onlyTrouble}
            onChange={(event) => setOnlyTrouble(event.currentTarget.checked)}
          />
          Not healthy only
        </label>
        <span class="aside number" role="status">
          {found.length} of {groups.length}
        </span>
      </div>
      <ul class="group-list">
        {shown.map((group) => (
          <li key={group.name}>
            <GroupName group={group} doubts={doubts} />
            <Chips group={group} doubts={doubts} />
          </li>
        ))}
      </ul>
      {found.length === 0 && <Empty title="No group fits these filters" />}
      <More left={left} onMore={more} what="groups" />
    </div>
  );
}

function Chips({ group, doubts }: { readonly group: GroupView; readonly doubts: Doubted }) {
  return (
    <ul class="chips">
      {group.slots.slice(0, TILES_MAX).map((slot) => (
        <li key={slot.slot}>
          <a class="chip" href={to.group(group.name, slot.slot)} title={slot.why}>
            <span class={`dot ${slotStanding(slot, doubts).tone}`} aria-hidden="true" />
            <span class="chip-name">
              {slot.slot} {slot.owner ?? 'nowhere'}
            </span>
            <span class="chip-state">
              {slotStanding(slot, doubts).word.toLowerCase()} e{slot.epoch}
            </span>
          </a>
        </li>
      ))}
      {group.slots.length > TILES_MAX && (
        <li>
          <a class="chip" href={to.group(group.name)}>
            {count(group.slots.length - TILES_MAX, 'more slot')}
          </a>
        </li>
      )}
    </ul>
  );
}
