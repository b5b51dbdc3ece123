import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { HypotheticalChange, SimulateView, StatusView } from '../../core/protocol/views.ts';
import { api } from '../data/live.ts';
import { to } from '../model/routes.ts';
import { changeWords, effectOf, forecast, healthChanges } from '../model/what-if.ts';
import { count, sentence, span } from '../model/words.ts';
import { Badge, Glyph } from '../parts/badge.tsx';
import { More, usePages } from '../parts/more.tsx';
import { Trouble } from '../parts/notice.tsx';
import { Title } from '../parts/title.tsx';
import { AddChange } from './what-if-form.tsx';

export function WhatIf({ status, down }: { readonly status: StatusView; readonly down: string | null }) {
  const [changes, setChanges] = useState<readonly HypotheticalChange[]>(
    down === null ? [] : [{ change: 'host-down', host: down }],
  );
  const { view, trouble, isBusy } = useForecast(changes);
  return (
    <>
      <Title tab="What if">What if</Title>
      <p class="lead">
        Changes on the state as it is now, worked out by the code that decides for real. Nothing is changed.
      </p>
      <div class="columns narrow-first">
        <section class="card" aria-labelledby="changes">
          <h2 id="changes">What changes</h2>
          {changes.length === 0 && <p class="aside">Nothing yet. Add a change, and see what would move.</p>}
          <ol class="changes">
            {changes.map((change, n) => (
              <li key={`${n} ${changeWords(change)}`}>
                <span>{sentence(changeWords(change))}</span>
                <button type="button" class="small text-button" onClick={() => setChanges(changes.toSpliced(n, 1))}>
                  Remove<span class="sr"> {changeWords(change)}</span>
                </button>
              </li>
            ))}
          </ol>
          <AddChange status={status} onAdd={(change) => setChanges([...changes, change])} />
        </section>
        <section aria-labelledby="effect" aria-busy={isBusy} aria-live="polite">
          <h2 id="effect">What would happen</h2>
          {trouble !== null && <Trouble says={trouble} />}
          {view === null ? (
            trouble === null && (
              <p class="aside">{changes.length === 0 ? 'The answer appears here.' : 'Working it out…'}</p>
            )
          ) : (
            <Forecast view={view} before={status} />
          )}
        </section>
      </div>
    </>
  );
}

function useForecast(changes: readonly HypotheticalChange[]) {
  const [view, setView] = useState<SimulateView | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    setTrouble(null);
    if (changes.length === 0) return setView(null);
    let isOver = false;
    setBusy(true);
    api()
      .simulate({ changes })
      .then(
        (answer) => isOver || setView(answer),
        (error: unknown) => {
          if (isOver) return;
          setView(null);
          setTrouble(messageOf(error));
        },
      )
      .finally(() => isOver || setBusy(false));
    return () => void (isOver = true);
  }, [changes]);
  return { view, trouble, isBusy };
}

function Forecast({ view, before }: { readonly view: SimulateView; readonly before: StatusView }) {
  const { tone, says } = forecast(view);
  const { shown, more, left } = usePages(view.slots);
  return (
    <div class="stack">
      <div class="card">
        <p class="verdict">
          <Glyph tone={tone} /> <strong>{says}</strong>
        </p>
        {view.says.map((line) => (
          <p key={line}>{sentence(line)}</p>
        ))}
        <p class="aside number">
          {count(view.unchanged, 'slot')} would stay. A failed host would be replaced within{' '}
          {span(view.bound.recoveryMs)} (now {span(before.bound.recoveryMs)}).
        </p>
        {healthChanges(view).map(({ group, says: change, after }) => (
          <p key={group} class="verdict">
            <Glyph tone={after} /> <a href={to.group(group)}>{group}</a> {change}
          </p>
        ))}
      </div>
      {view.slots.length > 0 && (
        <div class="card flush">
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th scope="col">Slot</th>
                  <th scope="col">Effect</th>
                  <th scope="col">Now</th>
                  <th scope="col">Then</th>
                  <th scope="col">Why</th>
                </tr>
              </thead>
              <tbody>
                {shown.map(effectOf).map(({ where, slot, tone: effect, word }) => (
                  <tr key={where}>
                    <th scope="row" class="name">
                      <a href={to.group(slot.group, slot.slot)}>{where}</a>
                    </th>
                    <td>
                      <Badge of={{ tone: effect, word, says: slot.why }} />
                    </td>
                    <td>{slot.from ?? 'nowhere'}</td>
                    <td>
                      <strong>{slot.to ?? 'nowhere'}</strong>
                    </td>
                    <td class="wide">{sentence(slot.why)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <More left={left} onMore={more} what="slots" />
        </div>
      )}
    </div>
  );
}
