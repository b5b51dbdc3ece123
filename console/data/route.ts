// First: a token is no screen.
import './handed-token.ts';
import type { Route } from '../model/routes.ts';
import { routeOf } from '../model/routes.ts';
import { note } from './note.ts';
import { Store } from './store.ts';

export const route = new Store<Route>(routeOf(location.hash));

/** A new screen begins at its top, and a screen reader at its heading; the very first one is left as the browser opens it. */
addEventListener('hashchange', () => {
  const before = route.get();
  const next = routeOf(location.hash);
  route.set(next);
  const isSameScreen = before.at === 'group' && next.at === 'group' && before.group === next.group;
  if (isSameScreen) return;
  note.set(null);
  scrollTo(0, 0);
  requestAnimationFrame(() => document.getElementById('title')?.focus({ preventScroll: true }));
});
