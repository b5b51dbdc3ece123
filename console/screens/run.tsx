import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { RunStoryView } from '../../core/protocol/views.ts';
import { page, readRun } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { to } from '../model/routes.ts';
import type { Chapter } from '../model/run-story.ts';
import { againstBound, evidenceIn, evidenceSentence, firstFound, runTitle, storyOf } from '../model/run-story.ts';
import { evidenceWords, runMeaning } from '../model/tones.ts';
import { clock, day, offset, sentence, span } from '../model/words.ts';
import { Badge, Glyph } from '../parts/badge.tsx';
import { Trouble } from '../parts/notice.tsx';
import { Timeline, useServerNow } from '../parts/timeline.tsx';
import { Title } from '../parts/title.tsx';

export function Run({ run }: { readonly run: string }) {
  const view = useStore(page, ({ stories }) => stories.get(run));
  const link = useStore(page, (known) => known.link.is);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    readRun(run).then(
      () => setTrouble(null),
      (error: unknown) => setTrouble(messageOf(error)),
    );
  }, [run, link === 'live']);
  return (
    <>
      <nav class="crumbs" aria-label="Where you are">
        <a href={to.runs()}>Runs</a>
      </nav>
      {view === undefined ? (
        <>
          <Title tab="Run">Run</Title>
          {trouble === null ? <p class="waiting">Reading the run…</p> : <Trouble says={trouble} />}
        </>
      ) : (
        <StoryPage view={view} />
      )}
    </>
  );
}

function StoryPage({ view }: { readonly view: RunStoryView }) {
  const isOpen = view.run.closedAtMs === null;
  const now = useServerNow(isOpen);
  const story = storyOf(view, { ms: now });
  const { run, axis, chapters } = story;
  const verdict = againstBound(axis, run);
  const evidence = evidenceSentence(evidenceIn(story));
  const found = firstFound(story);
  return (
    <>
      <header class="row wrap">
        <Title tab={runTitle(run)}>{runTitle(run)}</Title>
        <Badge of={runMeaning(run)} />
      </header>
      <p class="lead">{sentence(run.summary || runMeaning(run).says)}</p>
      <section class="card" aria-label="Time axis">
        <p class="verdict" role="status">
          <Glyph tone={verdict.tone} /> <span class="number">{verdict.says}</span>
        </p>
        {evidence !== '' && (
          <p class="verdict">
            <Glyph tone="good" /> <span>{evidence}</span>
          </p>
        )}
        <Timeline story={story} />
      </section>
      <h2>Step by step</h2>
      <p class="aside">
        Times count from {axis.zeroIs === 'last beat' ? 'the last heartbeat that was seen' : 'the opening'},{' '}
        {day(axis.zeroMs)} <span class="number">{clock(axis.zeroMs)}</span>.
      </p>
      {chapters.length === 0 && <p class="aside">No step yet.</p>}
      <ol class="story">
        {chapters.map((chapter) => (
          <Step key={chapter.key} chapter={chapter} zeroMs={axis.zeroMs} isFound={found.has(chapter.key)} />
        ))}
      </ol>
      <p class="aside">
        Run <code>{run.run}</code>. Its execution in Step Functions has the same name.
      </p>
    </>
  );
}

function Step(props: { readonly chapter: Chapter; readonly zeroMs: number; readonly isFound: boolean }) {
  const { chapter, zeroMs, isFound } = props;
  const { title, says, fromMs, toMs, evidence, facts } = chapter;
  return (
    <li class={isFound ? 'evidence' : ''}>
      <span class="story-time number">
        {offset(toMs - zeroMs)}
        {toMs - fromMs >= 50 && <span class="aside">took {span(toMs - fromMs)}</span>}
      </span>
      <div class="story-body">
        <h3>{title}</h3>
        <p>{sentence(says)}</p>
        {isFound && evidence !== null && (
          <p class="evidence-mark">
            Evidence <code>{evidence}</code>: {evidenceWords(evidence)}
          </p>
        )}
        {facts.length > 0 && (
          <details>
            <summary>
              Facts<span class="sr"> of “{title}”</span>
            </summary>
            <dl class="fact-list">
              {facts.map(([name, value]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>
                    <pre tabIndex={0}>{value}</pre>
                  </dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    </li>
  );
}
