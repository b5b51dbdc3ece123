/**
 * I5: once faults have ended, every host whose machine is on, and which the definition binds to that machine, renews a
 * session. A host that nobody knows to be waiting is lost for good, though all of its slots run elsewhere.
 *
 * Asked at the end, of machines whose power did not change and whose guard named no session for as long as it may take: a
 * session that ends itself waits 2 L_c (`agent/beat.ts`), one that is revoked L_c + ε, and either is followed by a start.
 */
import type { Millis } from '../../core/time/time.ts';
import { reconcileMs } from '../contract/schedule.ts';
import type { Told } from '../contract/truth.ts';
import { hostRecord, livingSessions } from './eligible.ts';
import { seconds, Watching } from './watching.ts';

/** In L_c. */
const WITHIN = 4;
/** A guard that starts, its clean-up, and a registration that is tried again. */
const BOOT_MS: Millis = 30_000;

export class Returned extends Watching {
  readonly invariant = 'I5';
  /** By machine: when its power changed, or it stood still, last. */
  readonly #changedAt = new Map<string, Millis>();

  protected judge(fact: Told): void {
    if (fact.type === 'machine') this.#changedAt.set(fact.machine, fact.at);
  }

  protected override conclude(): void {
    const definition = this.seen.definitions.now();
    if (definition === undefined) return;
    const now = this.seen.truth.now();
    const longest = Math.max(...this.seen.definitions.all().map(({ timing }) => timing.takerWaitMs));
    const sinceMs = now - (WITHIN * longest + reconcileMs(this.seen.scene.profile) + BOOT_MS);
    const living = livingSessions(this.seen);
    for (const { host, machine, principal, power } of this.seen.truth.machines()) {
      const isBound =
        definition.hosts.some(({ name }) => name === host) && hostRecord(this.seen, host)?.principal === principal;
      const session = this.seen.newestOn(machine);
      const changedMs = Math.max(this.#changedAt.get(machine) ?? 0, session?.fromMs ?? 0);
      if (power !== 'on' || !isBound || living.has(host) || changedMs > sinceMs) continue;
      const says =
        session === undefined ? 'none was ever registered' : `the last one began at ${seconds(session.fromMs)}`;
      this.violate(now, `at the end ${host} renews no session, though ${machine} is on; ${says}`);
    }
  }
}
