/** Applies a definition: put it as an immutable item, then flip the cluster's revision in one write. Never half applied. */
import { pack } from '../../adapters/node/packing.ts';
import { readDefinition } from '../../adapters/node/definition-file.ts';
import { differences } from '../../core/config/differences.ts';
import type { Definition } from '../../core/config/model.ts';
import type { Problem } from '../../core/config/problem.ts';
import { HaError } from '../../core/failures/failures.ts';
import { type ClusterRecord, type DefinitionRecord, keys } from '../../core/protocol/records.ts';
import type { AppliedView } from '../../core/protocol/views.ts';
import { loadDefinition } from '../shared/cluster.ts';
import type { ControlPorts } from '../shared/ports.ts';
import { recordEvent } from '../shared/run-log.ts';
import { RequestRefused } from './http.ts';

export type Account = ClusterRecord['account'];

export class DefinitionRefused extends RequestRefused {
  constructor(message: string, problems: readonly Problem[]) {
    super(problems, message);
  }
}

export async function applyDefinition(
  ports: ControlPorts,
  yaml: Uint8Array | string,
  options: { readonly dryRun: boolean; readonly account: Account; readonly by: string },
): Promise<AppliedView> {
  const read = readDefinition([{ content: yaml }]);
  if (!read.ok) {
    const more = read.omitted > 0 ? `, and ${read.omitted} more` : '';
    throw new DefinitionRefused(
      `the definition has ${read.problems.length} problems${more}; nothing was changed`,
      read.problems,
    );
  }
  const { definition, warnings } = read;
  const { cluster } = definition;
  const stored = await ports.registry.get<ClusterRecord>(keys.cluster(cluster));
  const old =
    stored === undefined ? null : await loadDefinition(ports, cluster, stored.body.rev, stored.body.incarnation);
  const diff = differences(old, definition);
  const rev = stored?.body.rev ?? 0;
  if (old !== null && diff.length === 0) return { rev, changed: false, warnings, diff };
  const packed = pack(definition);
  if (options.dryRun) return { rev: rev + 1, changed: true, warnings, diff };

  const next = await store(ports, { definition, packed, rev });
  await flip(ports, { cluster, rev: next, account: options.account, old: stored });
  await recordEvent(ports, cluster, {
    kind: 'definition.applied',
    subject: cluster,
    says: `definition ${next} applied: ${diff.join('; ').slice(0, 2_000)}`,
    run: null,
    by: options.by,
  });
  return { rev: next, changed: true, warnings, diff };
}

/** The first free number after the revision in force: an earlier apply that died before its flip may have used some. */
async function store(
  ports: ControlPorts,
  at: { definition: Definition; packed: string; rev: number },
): Promise<number> {
  const { cluster } = at.definition;
  for (let rev = at.rev + 1; rev <= at.rev + 100; rev += 1) {
    const record: DefinitionRecord = { rev, packed: at.packed, appliedAtMs: ports.wall.now() };
    if ((await ports.registry.put(keys.definition(cluster, rev), record, null)) === 'written') return rev;
  }
  throw new HaError('conflict', `${cluster} is being changed by others; apply again`);
}

async function flip(
  ports: ControlPorts,
  to: {
    readonly cluster: string;
    readonly rev: number;
    readonly account: Account;
    readonly old: { readonly version: number; readonly body: ClusterRecord } | undefined;
  },
): Promise<void> {
  const { cluster, rev, account, old } = to;
  const record: ClusterRecord =
    old === undefined
      ? { cluster, rev, incarnation: ports.ids.next(), haEnabled: true, account }
      : { ...old.body, rev };
  const outcome = await ports.registry.put(keys.cluster(cluster), record, old?.version ?? null);
  if (outcome === 'conflict')
    throw new HaError(
      'conflict',
      `${cluster} was changed by somebody else meanwhile; look at the difference and apply again`,
    );
  await ports.registry.put(keys.clusters(cluster), { cluster }, null);
}
