import { useStore } from '../data/store.ts';
import { nowMs, serverNow } from '../data/live.ts';
import type { Story } from '../model/run-story.ts';
import { againstBound, onAxis, ticks } from '../model/run-story.ts';
import { offset, span } from '../model/words.ts';

/** Redraws a live part four times a second, a finished one never. */
export function useServerNow(isLive: boolean): number {
  useStore(nowMs, (now) => (isLive ? now : 0));
  return serverNow();
}

/** The run on its time axis, with the bound that was promised. The words beside it say the same to who cannot see it. */
export function Timeline({ story, isSmall }: { readonly story: Story; readonly isSmall?: boolean }) {
  const { axis, chapters, run } = story;
  const verdict = againstBound(axis, run);
  // Only what can be seen at this scale gets a lane.
  const shortest = (axis.untilMs - axis.zeroMs) / 70;
  const spans = chapters.filter((chapter) => chapter.toMs - chapter.fromMs >= shortest);
  return (
    <div
      class={`timeline ${isSmall === true ? 'small' : ''} ${axis.isOpen ? 'open' : ''}`}
      role="img"
      aria-label={verdict.says}
    >
      <div class="track">
        <div class={`done ${verdict.tone}`} style={{ width: `${onAxis(axis, axis.doneMs)}%` }} />
        {chapters.map((chapter) => (
          <span
            key={chapter.key}
            class={`tick ${chapter.evidence === null ? '' : 'evidence'}`}
            style={{ left: `${onAxis(axis, chapter.toMs)}%` }}
            title={`${offset(chapter.toMs - axis.zeroMs)} ${chapter.title}`}
          />
        ))}
        {axis.boundAtMs !== null && (
          <span
            class={`bound ${onAxis(axis, axis.boundAtMs) > 70 ? 'left' : ''}`}
            style={{ left: `${onAxis(axis, axis.boundAtMs)}%` }}
          >
            <span class="bound-word">bound {span(axis.boundAtMs - axis.zeroMs)}</span>
          </span>
        )}
      </div>
      {isSmall !== true && <Lanes story={story} spans={spans} />}
      <div class="scale">
        {ticks(axis).map((ms) => (
          <span key={ms} style={{ left: `${onAxis(axis, axis.zeroMs + ms)}%` }}>
            {ms === 0 ? axis.zeroIs : `${ms / 1_000} s`}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Steps that took time, one lane each: what ran beside what. */
function Lanes({ story: { axis }, spans }: { readonly story: Story; readonly spans: Story['chapters'] }) {
  return (
    <div class="lanes">
      {spans.map((chapter) => {
        const from = onAxis(axis, chapter.fromMs);
        const to = onAxis(axis, chapter.toMs);
        const isRight = from > 50;
        return (
          <div key={chapter.key} class="lane">
            <span
              class={`lane-bar ${chapter.evidence === null ? '' : 'evidence'}`}
              style={{ left: `${from}%`, width: `${Math.max(0.6, to - from)}%` }}
            />
            <span
              class={`lane-word ${isRight ? 'before' : ''}`}
              style={isRight ? { right: `${100 - from}%` } : { left: `${to}%` }}
            >
              {chapter.title} <span class="number">{span(chapter.toMs - chapter.fromMs)}</span>
            </span>
          </div>
        );
      })}
    </div>
  );
}
