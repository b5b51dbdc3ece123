import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { page } from '../data/live.ts';
import { useStore } from '../data/store.ts';

/** The heading of a screen: takes the focus when the screen is entered, and names the browser's tab. */
export function Title({ tab, children }: { readonly tab: string; readonly children: ComponentChildren }) {
  const cluster = useStore(page, ({ status }) => status?.cluster);
  useEffect(() => {
    document.title = [tab, cluster, 'Holdfast'].filter((part) => part !== undefined).join(' · ');
  }, [tab, cluster]);
  return (
    <h1 id="title" tabIndex={-1}>
      {children}
    </h1>
  );
}
