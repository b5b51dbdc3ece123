/** The definitions that were in force, read from the registry as it stands. */
import { unpack } from '../../adapters/node/packing.ts';
import type { Definition, GroupDefinition } from '../../core/config/model.ts';
import { type ClusterRecord, type DefinitionRecord, keys } from '../../core/protocol/records.ts';
import type { Millis } from '../../core/time/time.ts';
import type { Told, Truth } from '../contract/truth.ts';

/**
 * A function that has read a definition may act on it to its own end: as if it had come before the change. No function of
 * the control plane lives longer (`lib/time-outs.ts`).
 */
export const INVOCATION_MAX_MS: Millis = 120_000;

interface InForce {
  readonly definition: Definition;
  untilMs: Millis | null;
}

export class Definitions {
  readonly #truth: Truth;
  readonly #cluster: string;
  readonly #unpacked = new Map<string, Definition>();
  readonly #inForce: InForce[] = [];
  /** By group; `of`: how many definitions there were. */
  readonly #covered = new Map<string, { readonly of: number; readonly is: boolean }>();
  #isStale = true;

  constructor(truth: Truth, cluster: string) {
    this.#truth = truth;
    this.#cluster = cluster;
  }

  see(fact: Told): void {
    const { pk, sk } = keys.cluster(this.#cluster);
    const isWritten = fact.type === 'record_written' && fact.pk === pk && fact.sk === sk;
    if (!isWritten && !(fact.type === 'fault' && fact.kind === 'registry_restored')) return;
    this.#isStale = true;
    this.#refresh();
    // It may be told right before it can be read.
    this.#isStale = true;
  }

  get record(): ClusterRecord | undefined {
    const { pk, sk } = keys.cluster(this.#cluster);
    return this.#truth.record<ClusterRecord>(pk, sk);
  }

  now(): Definition | undefined {
    this.#refresh();
    return this.#inForce.at(-1)?.definition;
  }

  /** All that were in force so far, oldest first. */
  all(): readonly Definition[] {
    this.#refresh();
    return this.#inForce.map((one) => one.definition);
  }

  /**
   * Whether every definition so far that has the group lets a lost lease stop it. Decided by a rule of our own, and not by what
   * the system takes for covered: else a group that it wrongly leaves out would be asked about by nobody.
   */
  isAlwaysCovered(group: string): boolean {
    this.#refresh();
    const known = this.#covered.get(group);
    if (known?.of === this.#inForce.length) return known.is;
    const specs = this.all().flatMap(({ groups }) => groups.filter(({ name }) => name === group));
    const is =
      specs.length > 0 && specs.every(({ redundancy }) => redundancy.model === 'n-plus-m' || redundancy.exclusive);
    this.#covered.set(group, { of: this.#inForce.length, is });
    return is;
  }

  /** The one that was stored under this number. */
  at(rev: number): Definition | undefined {
    const { pk, sk } = keys.definition(this.#cluster, rev);
    const stored = this.#truth.record<DefinitionRecord>(pk, sk);
    if (stored === undefined) return undefined;
    const known = this.#unpacked.get(stored.packed);
    if (known !== undefined) return known;
    const definition = unpack(stored.packed) as Definition; // Validated before it was stored.
    this.#unpacked.set(stored.packed, definition);
    return definition;
  }

  /** All that somebody may still act on. */
  recent(): readonly Definition[] {
    this.#refresh();
    const since = this.#truth.now() - INVOCATION_MAX_MS;
    return this.#inForce.filter(({ untilMs }) => untilMs === null || untilMs >= since).map((one) => one.definition);
  }

  /** The group as each of them has it. */
  groups(name: string, rev: number): readonly GroupDefinition[] {
    return [...new Set([...this.recent(), this.at(rev)])].flatMap(
      (definition) => definition?.groups.find((group) => group.name === name) ?? [],
    );
  }

  #refresh(): void {
    if (!this.#isStale) return;
    const record = this.record;
    const definition = record === undefined ? undefined : this.at(record.rev);
    if (definition === undefined) return;
    this.#isStale = false;
    const last = this.#inForce.at(-1);
    if (last?.definition === definition) return;
    if (last !== undefined) last.untilMs = this.#truth.now();
    this.#inForce.push({ definition, untilMs: null });
  }
}
