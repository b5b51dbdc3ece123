import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import { Trouble } from './notice.tsx';

export type Asked<T> =
  | { readonly is: 'waiting' }
  | { readonly is: 'there'; readonly value: T }
  | { readonly is: 'failed'; readonly why: string };

/** Asks once per `key` and on `again`; an answer that comes after the next question is dropped. */
export function useAsked<T>(
  key: string,
  question: () => Promise<T>,
): { readonly asked: Asked<T>; readonly again: () => void } {
  const [asked, setAsked] = useState<Asked<T>>({ is: 'waiting' });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isOver = false;
    question().then(
      (value) => isOver || setAsked({ is: 'there', value }),
      (error: unknown) => isOver || setAsked({ is: 'failed', why: messageOf(error) }),
    );
    return () => void (isOver = true);
    // The key stands for everything that the question depends on.
  }, [key, round]);
  return { asked, again: () => setRound((before) => before + 1) };
}

export function Answer<T>(props: {
  readonly of: Asked<T>;
  readonly again: () => void;
  readonly waiting: string;
  readonly children: (value: T) => ComponentChildren;
}) {
  const { of, again, waiting, children } = props;
  if (of.is === 'waiting') return <p class="waiting">{waiting}</p>;
  if (of.is === 'there') return <>{children(of.value)}</>;
  return (
    <Trouble says={of.why}>
      <button type="button" onClick={again}>
        Try again
      </button>
    </Trouble>
  );
}
