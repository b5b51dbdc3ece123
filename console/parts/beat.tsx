import type { HostView } from '../../core/protocol/views.ts';
import { nowMs, page } from '../data/live.ts';
import { useStore } from '../data/store.ts';
import { beatAge, freshness } from '../model/live.ts';
import { span } from '../model/words.ts';

const WORDS = { fresh: 'in time', late: 'late', silent: 'silent', never: 'never seen' } as const;

/** The age of a host's last beat, growing between answers; the line jumps once with every new beat. */
export function Beat({ host }: { readonly host: HostView }) {
  const received = useStore(page, (known) => known.receivedAtMs);
  const recoveryMs = useStore(page, (known) => known.status?.bound.recoveryMs ?? 0);
  // Whole seconds are redrawn, not every tick of the clock: below that the age of an answer says nothing.
  const since = useStore(nowMs, (now) => Math.max(0, Math.floor((now - received) / 1_000) * 1_000));
  const age = beatAge(host, since);
  // A host that is known to be over does not beat, however young its last one is.
  const isOver = ['Down', 'Fenced', 'Removed'].includes(host.status);
  const is = isOver && age !== null ? 'silent' : freshness(age, recoveryMs);
  return (
    <span class={`beat ${is}`}>
      <svg
        key={host.seq ?? 0}
        class="beat-line"
        viewBox="0 0 36 16"
        width="36"
        height="16"
        aria-hidden="true"
        focusable="false"
      >
        <path d={is === 'silent' || is === 'never' ? 'M0 8H36' : 'M0 8H11l3-6 4 12 3-8 2 2H36'} />
      </svg>
      <span class="beat-words">
        {age === null ? (
          'no heartbeat yet'
        ) : (
          <>
            beat <span class="number">{span(age)}</span> ago<span class="sr">, {WORDS[is]}</span>
          </>
        )}
      </span>
    </span>
  );
}
