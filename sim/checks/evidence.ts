/**
 * I4: no change of owner without evidence in the record (S7), of a kind that the group accepts, naming the very host and
 * session that owned the slot, and true.
 *
 * True, in the instant in which it is written and again when the next owner is: no covered process of the slot in that
 * epoch or an older one lives anywhere (one that stands still on a frozen machine lives), and the guard of that session
 * does not believe any more that it may run it. For the rest of the run none of them starts again. And by kind:
 *   power-off: the session's machine is off now, or was since that session began;
 *   successor: a later session of the same machine stands, and its guard has left the old one;
 *   lease-over, witnessed: the session no longer stands in the store;
 *   released: it names the slot's own epoch. `closed` says nothing more than what all must fulfil.
 * Which kinds are accepted is judged by the group as the record's own definition version has it, or as any definition has
 * it that was in force within the life of a function: one that read it before a change acts as if it had come first.
 */
import type { Evidence, Owner, SlotRecord } from '../../core/protocol/records.ts';
import type { ServiceLife, Told } from '../contract/truth.ts';
import { hasNewOwner, type SlotWritten, slotsWritten } from './seen.ts';
import { seconds, short, Watching } from './watching.ts';

/** What the old owner, or its own machine, says of itself is accepted everywhere; the rest where the group says so (S7). */
const CERTAIN: readonly Evidence['kind'][] = ['released', 'closed', 'successor'];

function isAccepted(kind: Evidence['kind'], accepts: readonly Evidence['kind'][]): boolean {
  return CERTAIN.includes(kind) || accepts.includes(kind);
}

export class TrueEvidence extends Watching {
  readonly invariant = 'I4';
  /** By slot: the highest epoch of which evidence says that it is over. */
  readonly #over = new Map<string, { readonly epoch: number; readonly evidence: Evidence }>();

  protected judge(fact: Told): void {
    if (fact.type === 'service_up') this.#onStart(fact.life, fact.at);
    if (fact.type !== 'group_written' || this.seen.isRestoring(fact.at)) return;
    for (const written of slotsWritten(fact)) {
      const { before, after } = written;
      if (hasNewOwner(written)) this.#onOwner(written, fact.at);
      else if (after.evidence !== null && !isSameEvidence(before?.evidence, after.evidence))
        this.#onEvidence(written, after.evidence, { group: fact.after.group, rev: fact.after.rev, at: fact.at });
      else if (after.evidence === null && before?.evidence)
        this.violate(
          fact.at,
          `${written.where}: the evidence ${before.evidence.kind} was taken back without a new owner`,
        );
    }
  }

  protected override onRestored(): void {
    for (const { group, slots } of this.seen.groups()) {
      for (const { slot, epoch, evidence } of slots) {
        const over = this.#over.get(`${group}/${slot}`);
        const last = evidence === null ? epoch - 1 : epoch;
        if (over !== undefined && over.epoch > last) this.#over.set(`${group}/${slot}`, { ...over, epoch: last });
      }
    }
  }

  #onOwner({ where, before, after }: SlotWritten, at: number): void {
    const old = before?.owner ?? null;
    if (before === undefined || old === null) return;
    const is = `at ${seconds(at)} ${where} went from ${old.host}/${short(old.session)} (epoch ${before.epoch}) to ${after.owner?.host ?? 'nobody'} (epoch ${after.epoch})`;
    if (before.evidence === null) {
      this.violate(at, `${is} without evidence about the old owner (S7)`);
      this.#askTruth(where, before, null, at);
      return;
    }
    if (!isSameEvidence(before.evidence, after.tookOverBy))
      this.violate(at, `${is}: the record does not keep the evidence by which it did (${before.evidence.kind})`);
    this.#askTruth(where, before, before.evidence, at);
    if (before.evidence.kind === 'power-off') this.#askWritesOver(is, old, at);
  }

  /** What the machine sent before its power went may be taken for m (S7). */
  #askWritesOver(is: string, old: Owner, at: number): void {
    const machine = this.seen.session(old.session)?.machine ?? old.machine ?? '';
    const offMs = at - (this.seen.offAt(machine) ?? -Infinity);
    const lifeMs = this.seen.accepted.of(old.session)?.timing?.writeLifeMs ?? 0;
    if (offMs < lifeMs)
      this.violate(
        at,
        `${is} ${Math.round(offMs)} ms after ${machine} went off: what it sent may land for ${lifeMs} ms (S7)`,
      );
  }

  #onEvidence(written: SlotWritten, evidence: Evidence, of: { group: string; rev: number; at: number }): void {
    const { where, after } = written;
    const owner = written.before?.owner ?? null;
    const is = `at ${seconds(of.at)} evidence ${evidence.kind} about ${evidence.host}/${short(evidence.session)} was recorded on ${where} (epoch ${after.epoch})`;
    if (owner?.host !== evidence.host || owner.session !== evidence.session)
      this.violate(
        of.at,
        `${is}, which ${owner?.host ?? 'nobody'}/${short(owner?.session ?? '')} owned: it must name the owner`,
      );
    if (evidence.kind === 'released' && evidence.epoch !== after.epoch)
      this.violate(of.at, `${is} for epoch ${evidence.epoch ?? 'none'}: it must name the slot's own`);
    const specs = this.seen.definitions.groups(of.group, of.rev);
    if (!specs.some(({ accepts }) => isAccepted(evidence.kind, accepts))) {
      const accepted = specs.map(({ accepts }) => accepts.join(', ') || 'nothing more').join(' or ');
      this.violate(of.at, `${is}, which the group does not accept (beyond the three that all do: ${accepted})`);
    }
    const over = this.#over.get(where);
    if (over === undefined || over.epoch < after.epoch) this.#over.set(where, { epoch: after.epoch, evidence });
    this.#askTruth(where, after, evidence, of.at);
  }

  /** Once the instant is over: a stop exactly at the take-over is in time. */
  #askTruth(where: string, slot: SlotRecord, evidence: Evidence | null, at: number): void {
    const owner = slot.owner;
    if (owner === null) return;
    const wrong = evidence === null ? null : this.#whyUntrue(evidence, owner.machine);
    this.seen.later(() => {
      const is = `at ${seconds(at)} ${where} was given up for ${owner.host}/${short(owner.session)} (epoch ${slot.epoch}) by ${evidence?.kind ?? 'nothing'}`;
      for (const life of this.seen.lives(where)) {
        if (life.covered && life.epoch <= slot.epoch)
          this.violate(at, `${is}, and ${inWords(life)} is alive: nothing covered of that epoch may be`);
      }
      const machine = this.seen.session(owner.session)?.machine ?? owner.machine ?? '';
      const believer = this.seen.beliefs.on(machine, where, at);
      if (believer?.session === owner.session && believer.epoch <= slot.epoch)
        this.violate(at, `${is}, and its guard believes until ${seconds(believer.untilMs)} that it may run it`);
      if (wrong !== null) this.violate(at, `${is}: ${wrong}`);
    });
  }

  #whyUntrue({ kind, session }: Evidence, recorded: string | undefined): string | null {
    const known = this.seen.session(session);
    const machine = known?.machine ?? recorded ?? '';
    switch (kind) {
      case 'power-off':
        return this.seen.whyNotOff(session, recorded);
      case 'successor': {
        const newest = this.seen.newestOn(machine);
        const isNewer = newest !== undefined && newest.session !== session && newest.fromMs >= (known?.fromMs ?? 0);
        if (isNewer && this.seen.beliefs.sessionOn(machine) !== session) return null;
        return `no newer session stands on ${machine}, the same machine`;
      }
      case 'lease-over':
      case 'witnessed': {
        const isStanding = this.seen.truth.heartbeats().some((item) => item.session === session);
        return isStanding ? 'that session still stands in the store: it must be revoked first' : null;
      }
      case 'released':
      case 'closed':
        return null;
    }
  }

  #onStart(life: ServiceLife, at: number): void {
    const over = this.#over.get(life.where);
    if (!life.covered || over === undefined || life.epoch > over.epoch) return;
    const { kind, host, session } = over.evidence;
    this.violate(
      at,
      `at ${seconds(at)} ${inWords(life)} started, though evidence ${kind} about ${host}/${short(session)} says that epoch ${over.epoch} of it is over`,
    );
  }
}

function inWords({ service, where, host, machine, pid, epoch }: ServiceLife): string {
  return `${service} of ${where} on ${host} (${machine}, pid ${pid}, epoch ${epoch})`;
}

function isSameEvidence(a: Evidence | null | undefined, b: Evidence | null | undefined): boolean {
  if (!a || !b) return false;
  return a.kind === b.kind && a.host === b.host && a.session === b.session && a.atMs === b.atMs;
}
