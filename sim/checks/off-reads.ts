/**
 * I4, by S7: two reads that are kept as the proof that a machine was off are true when they are written, whatever they are used
 * for later: the machine of that session is off, or was since that session began.
 */
import type { PoweredOff } from '../../core/protocol/power-records.ts';
import { type HostRecord, keys } from '../../core/protocol/records.ts';
import type { Told } from '../contract/truth.ts';
import { seconds, short, Watching } from './watching.ts';

export class OffReads extends Watching {
  readonly invariant = 'I4';
  readonly #known = new Map<string, string>();
  readonly #prefix = keys.host('', '').sk;

  protected judge(fact: Told): void {
    if (fact.type !== 'record_written' || !fact.sk.startsWith(this.#prefix) || this.seen.isRestoring(fact.at)) return;
    const record = this.seen.truth.record<HostRecord>(fact.pk, fact.sk);
    const off = record?.off;
    if (record === undefined || off === undefined) return;
    const name = `${off.session} ${off.reads[1].askedAtMs}`;
    if (this.#known.get(record.host) === name) return;
    this.#known.set(record.host, name);
    this.#ask(record.host, off, fact.at);
  }

  #ask(host: string, { session, machine, reads }: PoweredOff, at: number): void {
    const why = this.seen.whyNotOff(session, machine);
    if (why === null) return;
    const states = reads.map(({ state }) => state).join(' and ');
    this.violate(at, `at ${seconds(at)} session ${short(session)} of ${host} was recorded as off (${states}): ${why}`);
  }
}
