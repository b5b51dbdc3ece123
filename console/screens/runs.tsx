import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { RunView } from '../../core/protocol/views.ts';
import { api, page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { to } from '../model/routes.ts';
import { runTitle } from '../model/run-story.ts';
import { runMeaning } from '../model/tones.ts';
import { clock, day, span } from '../model/words.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Trouble } from '../parts/notice.tsx';
import { Title } from '../parts/title.tsx';

interface Read {
  readonly runs: readonly RunView[];
  readonly next: string | null;
}

export function Runs() {
  const { read, trouble, older, again } = useRuns();
  return (
    <>
      <Title tab="Runs">Runs</Title>
      <p class="lead">Every failover, move and placement, with each step that was taken and why.</p>
      {trouble !== null && (
        <Trouble says={trouble}>
          <button type="button" onClick={again}>
            Try again
          </button>
        </Trouble>
      )}
      {read === null ? trouble === null && <p class="waiting">Reading the runs…</p> : <RunTable runs={read.runs} />}
      {read?.next !== null && read !== null && (
        <button type="button" class="more" onClick={older}>
          Show older runs
        </button>
      )}
    </>
  );
}

/** The first page again whenever the open runs change; older pages are kept below it. */
function useRuns() {
  const open = useStore(page, ({ status }) => (status?.runs ?? []).map((run) => `${run.run} ${run.phase}`).join());
  const link = useStore(page, (known) => known.link.is);
  const [read, setRead] = useState<Read | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const [round, setRound] = useState(0);
  const load = (cursor: string | null): void => {
    api()
      .runs(cursor)
      .then(
        (answer) => {
          setTrouble(null);
          setRead((before) => merged(before, answer, cursor !== null));
        },
        (error: unknown) => setTrouble(messageOf(error)),
      );
  };
  useEffect(() => load(null), [open, link === 'live', round]);
  return { read, trouble, older: () => load(read?.next ?? null), again: () => setRound(round + 1) };
}

function merged(before: Read | null, answer: Read, isOlder: boolean): Read {
  const byName = new Map([...(before?.runs ?? []), ...answer.runs].map((run) => [run.run, run]));
  const runs = [...byName.values()].sort((a, b) => b.openedAtMs - a.openedAtMs);
  const hadOlder = before !== null && before.runs.length > answer.runs.length;
  return { runs, next: isOlder || !hadOlder ? answer.next : before.next };
}

function RunTable({ runs }: { readonly runs: readonly RunView[] }) {
  if (runs.length === 0)
    return (
      <Empty title="No run yet">
        <p>A run begins when a host falls silent, or when you move something.</p>
      </Empty>
    );
  return (
    <div class="card flush scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Ended as</th>
            <th scope="col">Opened</th>
            <th scope="col" class="right">
              Took
            </th>
            <th scope="col">What came of it</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.run}>
              <th scope="row">
                <a href={to.run(run.run)}>{runTitle(run)}</a>
              </th>
              <td>
                <Badge of={runMeaning(run)} />
              </td>
              <td class="number nowrap">
                <span class="aside">{day(run.openedAtMs)}</span> {clock(run.openedAtMs)}
              </td>
              <td class="number right nowrap">
                {run.closedAtMs === null ? 'open' : span(run.closedAtMs - run.openedAtMs)}
              </td>
              <td class="wide">{run.summary}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
