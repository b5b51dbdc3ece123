/** Group health: is what the redundancy model asks for there, and how well is it? */
import type { GroupDefinition } from '../config/model.ts';
import { slotCount } from '../config/model.ts';
import type { GroupRecord, SlotReport } from '../protocol/records.ts';

export type Health = SlotReport['health'];

const WORSE: readonly Health[] = ['ok', 'warn', 'degraded', 'failed'];

export function worst(a: Health, b: Health): Health {
  return WORSE.indexOf(a) >= WORSE.indexOf(b) ? a : b;
}

export interface RedundancyReport {
  readonly health: Health;
  readonly active: readonly number[];
  /** Slots that should be active and are not. */
  readonly missing: readonly number[];
  readonly missingStandbys: number;
  readonly says: string;
}

/** A report counts for the owner's present epoch only; one of an older epoch is about somebody else. */
function reportFor(reports: readonly SlotReport[], group: string, slot: number, epoch: number): SlotReport | undefined {
  return reports.find((report) => report.group === group && report.slot === slot && report.epoch === epoch);
}

function healthOf(report: { wanted: number; active: number; missingStandbys: number }): Health {
  if (report.active === 0 && report.wanted > 0) return 'failed';
  if (report.active < report.wanted) return 'degraded';
  return report.missingStandbys > 0 ? 'warn' : 'ok';
}

/**
 * A slot is active if its owner reported so in this epoch and no evidence says that the owner is gone. One whose
 * members failed critically (`health: failed`) does not count as active: a group with another active slot is then
 * degraded, a group without is failed. Lesser impacts of members colour the group as they are.
 */
export function redundancyReport(
  group: GroupDefinition,
  record: GroupRecord | undefined,
  reports: readonly SlotReport[] = [],
): RedundancyReport {
  const wanted = slotCount(group);
  const active: number[] = [];
  const missing: number[] = [];
  let members: Health = 'ok';
  for (let slot = 0; slot < wanted; slot += 1) {
    const found = record?.slots.find((candidate) => candidate.slot === slot);
    const stands = found?.phase === 'Active' && found.owner !== null && found.evidence === null;
    const report = found === undefined ? undefined : reportFor(reports, group.name, slot, found.epoch);
    const isActive = stands && report?.health !== 'failed';
    (isActive ? active : missing).push(slot);
    if (isActive && report !== undefined) members = worst(members, report.health);
  }
  const standbys = group.redundancy.model === 'n-plus-m' ? group.redundancy.standby : 0;
  const missingStandbys = Math.max(0, standbys - (record?.standbys.length ?? 0));
  const health = worst(healthOf({ wanted, active: active.length, missingStandbys }), members);
  const parts = [`${active.length} of ${wanted} active`];
  if (missing.length > 0) parts.push(`not active: ${missing.map((slot) => `${group.name}/${slot}`).join(', ')}`);
  if (standbys > 0) parts.push(`${standbys - missingStandbys} of ${standbys} standing by`);
  if (members !== 'ok') parts.push(`members report ${members}`);
  return { health, active, missing, missingStandbys, says: parts.join('; ') };
}
