/** Building a what-if, and reading its answer. */
import type { HypotheticalChange, SimulatedSlot, SimulateView } from '../../core/protocol/views.ts';
import type { Tone } from './tones.ts';
import { healthMeaning } from './tones.ts';
import { count, span } from './words.ts';

export function changeWords(change: HypotheticalChange): string {
  switch (change.change) {
    case 'host-down':
      return `${change.host} goes down`;
    case 'host-added': {
      const { name, zone, capacity } = change.host;
      const parts = [
        zone === undefined ? [] : `zone ${zone}`,
        capacity?.cpu === undefined ? [] : `${capacity.cpu} CPU`,
        capacity?.memoryMb === undefined ? [] : `${capacity.memoryMb} MB`,
      ].flat();
      return parts.length === 0 ? `${name} is added` : `${name} is added (${parts.join(', ')})`;
    }
    case 'definition':
      return `the definition becomes ${count(change.yaml.split('\n').length, 'line')} of YAML`;
    default:
      return 'another change';
  }
}

export interface NewHost {
  readonly name: string;
  readonly zone: string;
  readonly cpu: string;
  readonly memoryMb: string;
}

/** Empty fields say nothing about the host. */
export function hostAdded(form: NewHost): HypotheticalChange {
  const cpu = positive(form.cpu);
  const memoryMb = positive(form.memoryMb);
  const capacity =
    cpu === undefined && memoryMb === undefined
      ? {}
      : { capacity: { ...(cpu === undefined ? {} : { cpu }), ...(memoryMb === undefined ? {} : { memoryMb }) } };
  const zone = form.zone.trim();
  return {
    change: 'host-added',
    host: { name: form.name.trim(), ...(zone === '' ? {} : { zone }), ...capacity },
  };
}

function positive(text: string): number | undefined {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) && value > 0 ? value : undefined;
}

export interface Effect {
  readonly where: string;
  readonly slot: SimulatedSlot;
  readonly tone: Tone;
  readonly word: string;
}

export function effectOf(slot: SimulatedSlot): Effect {
  const where = `${slot.group}/${slot.slot}`;
  if (slot.to === null) return { where, slot, tone: 'bad', word: 'Runs nowhere' };
  if (slot.from === null) return { where, slot, tone: 'good', word: 'Starts' };
  return { where, slot, tone: 'busy', word: 'Moves' };
}

export interface Forecast {
  readonly tone: Tone;
  readonly says: string;
}

export function forecast(view: SimulateView): Forecast {
  const lost = view.slots.filter((slot) => slot.to === null).length;
  const moved = view.slots.length - lost;
  const within = span(view.bound.recoveryMs);
  if (lost > 0)
    return {
      tone: 'bad',
      says: `${count(lost, 'slot')} would run nowhere${moved > 0 ? `, ${moved} would move` : ''}.`,
    };
  if (moved > 0)
    return { tone: 'good', says: `Everything would run: ${count(moved, 'slot')} would move, within ${within}.` };
  return { tone: 'good', says: 'Nothing would move.' };
}

export function healthChanges(
  view: SimulateView,
): readonly { group: string; before: Tone; after: Tone; says: string }[] {
  return view.health
    .filter(({ before, after }) => before !== after)
    .map(({ group, before, after }) => {
      const [was, is] = [healthMeaning(before), healthMeaning(after)];
      return { group, before: was.tone, after: is.tone, says: `${was.word} → ${is.word}` };
    });
}
