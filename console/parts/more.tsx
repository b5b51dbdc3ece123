import { useState } from 'preact/hooks';
import { PAGE } from '../model/overview.ts';

/** A long list is drawn in pages, so that thousands of rows cost no more than fifty until somebody wants them. */
export function usePages<T>(all: readonly T[]): {
  readonly shown: readonly T[];
  readonly more: () => void;
  readonly left: number;
} {
  const [max, setMax] = useState(PAGE);
  const shown = all.slice(0, max);
  return { shown, more: () => setMax((before) => before + PAGE), left: all.length - shown.length };
}

export function More({
  left,
  onMore,
  what,
}: {
  readonly left: number;
  readonly onMore: () => void;
  readonly what: string;
}) {
  if (left <= 0) return null;
  return (
    <button type="button" class="more" onClick={onMore}>
      Show {Math.min(PAGE, left)} more of {left} {what}
    </button>
  );
}
