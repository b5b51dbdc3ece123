/** What stands, in words, for the message of a story that failed. */
import type { memoryTables } from '../../adapters/memory/memory-tables.ts';
import type { GroupRecord, HostRecord, RunRecord } from '../../core/protocol/records.ts';

export interface Told {
  readonly hosts: ReadonlyMap<string, unknown>;
  readonly groups: readonly GroupRecord[];
  readonly truth: { runners(slot: string): readonly string[] };
  readonly workflow: { readonly names: readonly string[]; execution(name: string): { status: string } | undefined };
  readonly logged: readonly string[];
  hostRecord(name: string): HostRecord | undefined;
  runRecord(run: string): RunRecord | undefined;
}

export function storyOf(world: Told): string {
  const hosts = [...world.hosts.keys()].map(
    (name) => `${name}: ${world.hostRecord(name)?.status ?? '-'} (${world.hostRecord(name)?.why ?? ''})`,
  );
  const slots = world.groups.flatMap(({ group, slots: all }) =>
    all.map(
      (s) =>
        `${group}/${s.slot}: ${s.phase} on ${s.owner?.host ?? '-'} e${s.epoch} claim ${s.claim ?? '-'}, runs on [${world.truth.runners(`${group}/${s.slot}`).join()}] (${s.why})`,
    ),
  );
  const runs = world.workflow.names.map(
    (name) =>
      `${name}: ${world.workflow.execution(name)?.status ?? ''} ${world.runRecord(name)?.outcome ?? '-'}: ${world.runRecord(name)?.summary ?? ''}`,
  );
  return [...hosts, ...slots, ...runs, ...world.logged.slice(-10)].join('\n');
}

export function dumpOf(tables: ReturnType<typeof memoryTables>): string {
  const registry = [...tables.registry].map(([pk, rows]) => [pk, [...rows].sort()] as const).sort();
  return JSON.stringify([registry, [...tables.heartbeats].sort()]);
}
