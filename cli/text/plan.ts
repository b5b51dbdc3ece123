/** Plans of operators' verbs, and what they started. */
import type { PlanView } from '../../core/protocol/views.ts';
import { paragraph } from './table.ts';
import { clean } from './words.ts';

export function planText(what: string, { plan, objections }: PlanView): string[] {
  return [
    `Plan to ${clean(what)}:`,
    ...plan.flatMap((step) => paragraph(step, 2)),
    ...(objections.length === 0 ? [] : ['Against it:', ...objections.flatMap((text) => paragraph(text, 2))]),
  ];
}

export function objectionsText(objections: readonly string[]): string {
  return objections.map(clean).join('; ');
}

export function doneText({ plan, runs }: PlanView): string[] {
  const started = runs.map(clean);
  if (started.length === 0) return ['Done:', ...plan.flatMap((step) => paragraph(step, 2))];
  return started.map((run) => `Started ${run}. Follow it: holdfast run ${run} --follow`);
}
