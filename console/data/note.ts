/** What the last action led to; it stays until the next one, the next screen, or until it is dismissed. */
import type { Tone } from '../model/tones.ts';
import { Store } from './store.ts';

export interface Note {
  readonly tone: Tone;
  readonly says: string;
  readonly link?: { readonly href: string; readonly says: string };
}

export const note = new Store<Note | null>(null);
