/** Holds a finished run against what its scenario expects of it. */
import type { SlotRecord } from '../../core/protocol/records.ts';
import type { RunResult } from './result.ts';
import type { Expectation } from './scenario.ts';
import { printExpectation } from './scenario-print.ts';
import { ownerChanges } from './tally.ts';

/** One line for each expectation that does not hold; the run must have kept its facts. */
export function unmet(result: RunResult, expectations: readonly Expectation[]): readonly string[] {
  return expectations.flatMap((expectation) => {
    const found = contradiction(result, expectation);
    return found === null ? [] : [`expected ${printExpectation(expectation)}, but ${found}`];
  });
}

/** What was found instead; null: it is as expected. */
function contradiction(result: RunResult, expectation: Expectation): string | null {
  switch (expectation.expect) {
    case 'no violations': {
      const shown = result.violations.map((v) => `${v.invariant} at ${(v.at / 1000).toFixed(3)} s: ${v.says}`);
      return shown.length === 0 ? null : shown.join('; ');
    }
    case 'violation': {
      const seen = result.violations.map((v) => v.invariant);
      return seen.includes(expectation.invariant) ? null : `there was ${seen.join(', ') || 'none'}`;
    }
    case 'owner': {
      const slot = lastSlot(result, expectation.where);
      const is = `${slot?.owner?.host ?? 'nobody'} owns it by ${slot?.tookOverBy?.kind ?? 'no evidence'}`;
      const isSo =
        slot?.owner?.host === expectation.host && (expectation.by ?? slot.tookOverBy?.kind) === slot.tookOverBy?.kind;
      return isSo ? null : is;
    }
    case 'failover': {
      const seen = changesOf(result, expectation.where).map((change) => change.by ?? 'no evidence');
      return seen.includes(expectation.by) ? null : `it changed by ${seen.join(', ') || 'nothing'}`;
    }
    case 'no failover': {
      const from = result.faultsFromMs ?? 0;
      const seen = changesOf(result, expectation.where).filter((change) => change.at > from);
      return seen.length === 0 ? null : `it changed ${seen.length} times, first to ${seen[0]?.to ?? ''}`;
    }
    case 'page': {
      const pages = result.facts.flatMap((fact) => (fact.type === 'page' ? [`${fact.subject}: ${fact.text}`] : []));
      const isPaged = pages.some((page) => page.includes(expectation.text));
      return isPaged ? null : `the pages were: ${pages.join('; ') || 'none'}`;
    }
    case 'state':
      return (result.states[expectation.state] ?? 0) > 0 ? null : 'it was never entered';
  }
}

function lastSlot(result: RunResult, where: string): SlotRecord | undefined {
  const [group, slot] = where.split('/');
  for (let index = result.facts.length - 1; index >= 0; index -= 1) {
    const fact = result.facts[index];
    if (fact?.type !== 'group_written' || fact.after.group !== group) continue;
    return fact.after.slots.find((found) => found.slot === Number(slot));
  }
  return undefined;
}

function changesOf(result: RunResult, where: string) {
  return result.facts.flatMap((fact) =>
    fact.type === 'group_written'
      ? ownerChanges(fact.before, fact.after)
          .filter((change) => change.where === where)
          .map((change) => ({ ...change, at: fact.at }))
      : [],
  );
}
