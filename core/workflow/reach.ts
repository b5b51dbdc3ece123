/** The graph of one machine, branch or item processor: every arrow leads somewhere, every state is led to, and there is an end. */
import type { StateDefinition } from './machine.ts';

/** Where a state may go, with the field that says so. */
export function arrowsOf(state: StateDefinition): readonly { readonly field: string; readonly to: string }[] {
  const arrows: { field: string; to: string }[] = [];
  if ('next' in state && state.next !== null) arrows.push({ field: 'Next', to: state.next });
  if (state.type === 'Choice') {
    state.choices.forEach(({ next }, index) => arrows.push({ field: `Choices[${index}].Next`, to: next }));
    if (state.default !== null) arrows.push({ field: 'Default', to: state.default });
  }
  if ('catch' in state) {
    state.catch.forEach(({ next }, index) => arrows.push({ field: `Catch[${index}].Next`, to: next }));
  }
  return arrows;
}

function isEnd(state: StateDefinition): boolean {
  if (state.type === 'Succeed' || state.type === 'Fail') return true;
  return 'next' in state && state.next === null;
}

export function reachProblems(
  startAt: string,
  states: ReadonlyMap<string, StateDefinition>,
  where: string,
): readonly string[] {
  const problems: string[] = [];
  if (!states.has(startAt)) return [`${where}, field StartAt: there is no state ${JSON.stringify(startAt)} here`];

  const reached = new Set([startAt]);
  // A set grows while it is iterated: each state is looked at once.
  for (const name of reached) {
    const state = states.get(name);
    if (state === undefined) continue;
    for (const { field, to } of arrowsOf(state)) {
      if (states.has(to)) reached.add(to);
      else problems.push(`state ${JSON.stringify(name)}, field ${field}: there is no state ${JSON.stringify(to)} here`);
    }
  }
  for (const name of states.keys()) {
    if (!reached.has(name)) problems.push(`state ${JSON.stringify(name)}: nothing leads to it`);
  }
  if (![...states.values()].some(isEnd)) problems.push(`${where}: no state ends it (End, Succeed or Fail)`);
  return problems;
}
