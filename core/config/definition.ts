/**
 * The whole document: from plain data (as parsed from YAML) to a `Definition`, or to every problem found.
 *
 * Pure and bounded: the same function validates on a laptop and again before the definition is saved; nothing
 * invalid is ever stored. Its packed size (≤ 300 KB) is the store's to check.
 */
import { formatDuration } from './durations.ts';
import { DEFINITION_LIMITS } from './limits.ts';
import type { Definition, EvidenceKind, GroupDefinition, Timing } from './model.ts';
import { isCovered } from './model.ts';
import { placementFindings, placementRemarks, possibleHosts } from './placement-checks.ts';
import type { DefinitionWarning, Finding, Locate, Problem, Remark } from './problem.ts';
import { toProblem, toWarning, valueAt } from './problem.ts';
import { referenceFindings } from './references.ts';
import type { WrittenDefinition, WrittenGroup } from './schema.ts';
import { DefinitionSchema, TimingSchema } from './schema.ts';
import { schemaFindings } from './schema-findings.ts';
import { resolveTiming, stopShortfallMs, stopTimeMs } from './timing.ts';
import { checkTiming } from './timing-rules.ts';

export type Validation =
  | { readonly ok: true; readonly definition: Definition; readonly warnings: readonly DefinitionWarning[] }
  /** `omitted`: how many more problems there are beyond the hundred listed. */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly omitted: number };

const NOWHERE: Locate = () => undefined;

export function validateDefinition(input: unknown, locate: Locate = NOWHERE): Validation {
  const shape = DefinitionSchema.safeParse(input);
  if (!shape.success) {
    return refused([...schemaFindings(shape.error.issues, input), ...timingOfBroken(input)], locate);
  }
  const written = shape.data;
  const timing = resolveTiming(written.timing);
  const findings = [...timingFindings(timing), ...referenceFindings(written), ...placementFindings(written)];
  if (findings.length > 0) return refused(findings, locate);

  const groups = written.groups.map((group) => ({ ...group, accepts: acceptsOf(group, written) }));
  const definition: Definition = { ...written, timing, groups };
  const remarks = [
    ...groups.flatMap((group, i) => [...groupRemarks(group, i, timing), ...failbackRemarks(group, i)]),
    ...written.groups.flatMap((group, i) => mixedFencing(group, i, written)),
    ...placementRemarks(written),
  ];
  return { ok: true, definition, warnings: remarks.map((remark) => toWarning(remark, locate)) };
}

export function refused(findings: readonly Finding[], locate: Locate): Validation {
  const most = DEFINITION_LIMITS.problems;
  const problems = findings.slice(0, most).map((finding) => toProblem(finding, locate));
  return { ok: false, problems, omitted: Math.max(0, findings.length - most) };
}

function timingFindings(timing: Timing): Finding[] {
  return checkTiming(timing).map(({ rule, path, got, must, why }) => ({
    at: ['timing', path],
    got,
    change: `must be ${must}: ${why}`,
    rule,
  }));
}

/** Timing is judged although the rest has another shape than it should, so that one run shows both. */
function timingOfBroken(input: unknown): Finding[] {
  const timing = TimingSchema.safeParse(valueAt(input, ['timing']) ?? {});
  return timing.success ? timingFindings(resolveTiming(timing.data)) : [];
}

/** S7: a slot accepts only the kinds that its fencing policy names; a host that says nothing is fenced by its lease. */
function acceptsOf(group: WrittenGroup, { hosts }: WrittenDefinition): readonly EvidenceKind[] {
  if (group.accepts !== undefined) return [...new Set(group.accepts)];
  const methods = new Set(possibleHosts(group, hosts).flatMap(({ fencing }) => fencing.flat()));
  return [
    ...(methods.has('lease') ? (['lease-over'] as const) : []),
    ...(methods.has('ec2') ? (['power-off'] as const) : []),
  ];
}

function groupRemarks(group: GroupDefinition, i: number, timing: Timing): Remark[] {
  const remarks: Remark[] = [];
  const short = stopShortfallMs(group, timing);
  if (short !== undefined) {
    const says =
      `group ${group.name} may need ${formatDuration(stopTimeMs(group))} to stop (sum of its stop time-outs) and a lost lease` +
      ` leaves ${formatDuration(timing.cleanStopMs)}: it will be killed. Raise timing.cleanStop (and holderLease, takerWait) or lower the time-outs`;
    remarks.push({ at: ['groups', i, 'services'], says, rule: 'V2' });
  }
  if (!isCovered(group)) return remarks;
  if (group.accepts.length === 0) {
    const says = `group ${group.name} accepts no evidence about a silent owner, so a person must move it after a crash`;
    remarks.push({ at: ['groups', i, 'accepts'], says, rule: 'S7' });
  } else if (
    group.accepts.includes('lease-over') &&
    !group.accepts.includes('power-off') &&
    group.checksEpoch !== true
  ) {
    const says =
      `group ${group.name} has neither an epoch check nor a power fence: safe within the assumed bounds of freezes and` +
      ` late writes only. Add the fence ec2, or state checksEpoch: true if what it writes to refuses old epochs`;
    remarks.push({ at: ['groups', i], says, rule: 'V9' });
  }
  return remarks;
}

/** Accepted, so that a definition need not change when it comes into force; until then nobody may rely on it. */
function failbackRemarks({ name, failback }: GroupDefinition, i: number): Remark[] {
  if (failback === 'never') return [];
  const wanted = failback === 'auto' ? failback : `window "${failback.window}"`;
  const says =
    `failback ${wanted} of group ${name} is not in force in this version: after a failover it stays where it is.` +
    ` Move it back by hand with \`holdfast move ${name}\``;
  return [{ at: ['groups', i, 'failback'], says }];
}

/** Evidence is accepted per group: a host that is never fenced by lease is judged like the others of its group. */
function mixedFencing(group: WrittenGroup, i: number, { hosts }: WrittenDefinition): Remark[] {
  if (group.accepts !== undefined) return [];
  const withLease = possibleHosts(group, hosts).map(({ fencing }) => fencing.flat().includes('lease'));
  if (!withLease.includes(true) || !withLease.includes(false)) return [];
  const says = `some hosts of group ${group.name} name the fence lease and some do not; lease-over is accepted about all of them. State accepts`;
  return [{ at: ['groups', i], says, rule: 'S7' }];
}
