import type { ComponentChildren } from 'preact';
import { note } from '../data/note.ts';
import { useStore } from '../data/store.ts';
import { Glyph } from './badge.tsx';

export function NoteBar() {
  const shown = useStore(note, (value) => value);
  return (
    <div class="note-place" role="status" aria-live="polite">
      {shown !== null && (
        <div class={`note ${shown.tone}`}>
          <Glyph tone={shown.tone} />
          <span class="note-says">
            {shown.says} {shown.link !== undefined && <a href={shown.link.href}>{shown.link.says}</a>}
          </span>
          <button type="button" class="text-button" onClick={() => note.set(null)}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}

/** A failure in plain words, with what can be done about it. */
export function Trouble({ says, children }: { readonly says: string; readonly children?: ComponentChildren }) {
  return (
    <div class="trouble" role="alert">
      <Glyph tone="bad" />
      <div>
        {says.split('\n').map((line) => (
          <p key={line}>{line}</p>
        ))}
        {children}
      </div>
    </div>
  );
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}
