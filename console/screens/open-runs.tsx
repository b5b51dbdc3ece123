import type { RunView } from '../../core/protocol/views.ts';
import { page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { to } from '../model/routes.ts';
import { againstBound, runTitle, storyOf } from '../model/run-story.ts';
import { runMeaning } from '../model/tones.ts';
import { sentence } from '../model/words.ts';
import { Badge } from '../parts/badge.tsx';
import { Timeline, useServerNow } from '../parts/timeline.tsx';

const SHOWN_MAX = 6;

/** What is being worked on now; failovers first. */
export function OpenRuns({ runs }: { readonly runs: readonly RunView[] }) {
  if (runs.length === 0) return null;
  const sorted = runs.toSorted(
    (a, b) => Number(b.work === 'HA') - Number(a.work === 'HA') || a.openedAtMs - b.openedAtMs,
  );
  return (
    <section aria-labelledby="open-runs">
      <h2 id="open-runs" class="sr">
        Open runs
      </h2>
      <div class="stack">
        {sorted.slice(0, SHOWN_MAX).map((run) => (
          <OpenRun key={run.run} run={run} />
        ))}
      </div>
      {runs.length > SHOWN_MAX && (
        <p class="aside">
          <a href={to.runs()}>{runs.length - SHOWN_MAX} more open runs</a>
        </p>
      )}
    </section>
  );
}

function OpenRun({ run }: { readonly run: RunView }) {
  const now = useServerNow(true);
  const known = useStore(page, ({ stories }) => stories.get(run.run));
  const story = storyOf(known ?? { run, steps: [] }, { ms: now });
  const last = story.chapters.at(-1);
  const meaning = runMeaning(run);
  return (
    <article class={`card run-banner ${meaning.tone}`}>
      <header class="row spread">
        <h3>
          <a href={to.run(run.run)}>{runTitle(run)}</a>
        </h3>
        <Badge of={meaning} />
      </header>
      <p class="run-says">{sentence(last?.says ?? meaning.says)}</p>
      <Timeline story={story} isSmall />
      <p class="aside number">{againstBound(story.axis, story.run).says}</p>
    </article>
  );
}
