/** Light or dark: the system's choice until the reader makes one, which this browser keeps. */
import { Store } from './store.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'holdfast.theme';
export const theme = new Store<Theme>('system');

export function restoreTheme(): void {
  const kept = localStorage.getItem(KEPT);
  setTheme(kept === 'light' || kept === 'dark' ? kept : 'system');
}

export function setTheme(next: Theme): void {
  theme.set(next);
  if (next === 'system') {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(KEPT);
  } else {
    document.documentElement.dataset.theme = next;
    localStorage.setItem(KEPT, next);
  }
}

export function isDark(now: Theme): boolean {
  return now === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : now === 'dark';
}
