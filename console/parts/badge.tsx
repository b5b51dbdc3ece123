import type { Meaning, Tone } from '../model/tones.ts';

/** A shape per tone: a reader who sees no colour still tells them apart. */
const SHAPES: Readonly<Record<Tone, string>> = {
  good: 'M3.5 8.5l3 3 6-7',
  busy: 'M8 3v5l3 2',
  warn: 'M8 4v5M8 11.5v.5',
  bad: 'M5 5l6 6M11 5l-6 6',
  quiet: 'M4.5 8h7',
};

export function Glyph({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`glyph ${tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {tone === 'warn' ? (
        <path class="glyph-body" d="M8 .9 15.6 14.4H.4z" stroke-linejoin="round" />
      ) : (
        <circle class="glyph-body" cx="8" cy="8" r="7.5" />
      )}
      <path class="glyph-mark" d={tone === 'warn' ? 'M8 5.6v4M8 11.8v.4' : SHAPES[tone]} />
    </svg>
  );
}

export function Badge({ of, plain }: { readonly of: Meaning; readonly plain?: boolean }) {
  return (
    <span class={`badge ${of.tone} ${plain === true ? 'plain' : ''}`} title={of.says}>
      <Glyph tone={of.tone} />
      {of.word}
    </span>
  );
}
