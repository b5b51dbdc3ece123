/**
 * I1, by S1 to S3: of each heartbeat item, which session stands in it, and that nothing but that session renews it.
 *
 *   - a renewal is taken only of the session that stands: not of one that was revoked, replaced or deleted, and it does not
 *     create an item that is gone (S3);
 *   - the number of a session rises by exactly one with each of its writes, from 1, so that no version repeats (S2);
 *   - a session is registered once, never in the place of a newer one of the same machine, nor of one of another machine that
 *     nobody has ended (S1).
 * An item that is deleted is told by the fault that does it; a tombstone is a revocation of no session.
 */
import type { Told } from '../contract/truth.ts';
import { seconds, short, Watching } from './watching.ts';

interface Standing {
  /** null: nobody's; the item was deleted, or shows a revocation. */
  readonly session: string | null;
  readonly seq: number;
  readonly why: string;
}

type Beat = Extract<Told, { type: 'beat' }>;

export class OneSession extends Watching {
  readonly invariant = 'I1';
  readonly #items = new Map<string, Standing>();
  readonly #registered = new Map<string, number>();

  protected judge(fact: Told): void {
    if (fact.type === 'beat' && fact.principal !== undefined) this.#onBeat(fact, fact.principal);
    else if (fact.type === 'revoked')
      this.#items.set(fact.principal, { session: null, seq: 0, why: `it was revoked by ${fact.by}` });
    else if (fact.type === 'fault' && fact.kind === 'item_gone' && fact.now === 'begins') this.#onGone(fact.subject);
  }

  #onGone(host: string): void {
    for (const { host: name, power, principal } of this.seen.truth.machines())
      if (name === host && power !== 'terminated')
        this.#items.set(principal, { session: null, seq: 0, why: 'the item was deleted' });
  }

  #onBeat(fact: Beat, principal: string): void {
    const before = this.#items.get(principal) ?? { session: null, seq: 0, why: 'there was no item' };
    if (fact.registered === undefined) this.#onRenewal(fact, before);
    else this.#onRegistration(fact, before);
    this.#items.set(principal, { session: fact.session, seq: fact.seq, why: '' });
  }

  #onRenewal({ session, host, seq, at }: Beat, before: Standing): void {
    const is = `at ${seconds(at)} a renewal of session ${short(session)} of ${host} was taken as number ${seq}`;
    if (before.session === null) this.violate(at, `${is}: it did not stand any more, ${before.why} (S3)`);
    else if (before.session !== session) this.violate(at, `${is}, though session ${short(before.session)} stood (S2)`);
    else if (seq !== before.seq + 1)
      this.violate(at, `${is} after number ${before.seq}: it must rise by one, so that no version repeats (S2)`);
  }

  #onRegistration({ session, host, machine, seq, at }: Beat, before: Standing): void {
    const is = `at ${seconds(at)} session ${short(session)} of ${host} was registered as number ${seq}`;
    const first = this.#registered.get(session);
    this.#registered.set(session, at);
    if (first !== undefined) this.violate(at, `${is}, and had been at ${seconds(first)}: a session stands once (S1)`);
    else if (seq !== 1) this.violate(at, `${is}: it must begin with 1 (S2)`);
    const [old, own] = [before.session, this.seen.session(session)].map((one) =>
      typeof one === 'string' ? this.seen.session(one) : one,
    );
    if (old && old.machine !== machine)
      this.violate(
        at,
        `${is} in the place of session ${short(old.session)} of ${old.machine}, which nobody had ended: only the same machine may (S1)`,
      );
    if (!old || !own || old.machine !== machine || old.fromMs <= own.fromMs) return;
    this.violate(
      at,
      `${is} in the place of session ${short(old.session)}, which the same machine named later, at ${seconds(old.fromMs)} and not ${seconds(own.fromMs)}: a late registration must be refused (S1)`,
    );
  }
}
