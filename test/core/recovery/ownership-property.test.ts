/** S7 over random histories of one slot: who owns it, what is reported, revoked and registered, and evidence that comes late. */
import { describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { closed, leaseOver, released, successor } from '../../../core/recovery/evidence.ts';
import {
  type Change,
  isOwned,
  newSlot,
  slotOf,
  takeOwnership,
  withCandidates,
  withEvidence,
  withPhase,
} from '../../../core/recovery/ownership.ts';
import type { Evidence, GroupRecord, SlotRecord } from '../../../core/protocol/records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { record } from '../placement/fixtures.ts';
import { FINDING, item, report } from './fixtures.ts';

jest.setTimeout(60_000); // Thousands of cases, on a machine that others use.

const HOSTS = ['h1', 'h2', 'h3'] as const;
type Host = (typeof HOSTS)[number];

const happenings = fc.array(
  fc.record({
    what: fc.constantFrom(
      'take',
      'take',
      'take',
      'release',
      'lease-over',
      'register',
      'clone',
      'close',
      'apply',
      'apply',
      'apply',
      'phase',
      'lists',
    ),
    host: fc.constantFrom(...HOSTS),
    n: fc.nat(99),
  }),
  { minLength: 5, maxLength: 60, size: 'max' },
);

/** A fault: what is made of evidence before it is recorded. */
type Bend = (evidence: Evidence, slot: SlotRecord) => Evidence;

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** What is true in the world, beside the record: sessions that may still run, and in which epochs something was given up. */
class World {
  group: GroupRecord = record('db', [newSlot(0, wallInstant(0))]);
  readonly session: Record<Host, number> = { h1: 1, h2: 1, h3: 1 };
  /** Every evidence ever found; any of it may be applied at any time. */
  readonly found: Evidence[] = [];
  readonly owners = new Map<number, string>();
  readonly over = new Set<string>();
  readonly givenUp = new Set<string>();
  changes = 0;
  private readonly mayHold: boolean;
  private readonly bend: Bend;

  constructor(mayHold: boolean, bend: Bend) {
    this.mayHold = mayHold;
    this.bend = bend;
  }

  get slot(): SlotRecord {
    const slot = slotOf(this.group, 0);
    if (slot === undefined) throw new Error('the slot is gone');
    return slot;
  }

  sessionOf(host: Host): string {
    return `${host}.${this.session[host]}`;
  }

  note(evidence: Evidence | null): void {
    if (evidence !== null) this.found.push(evidence);
  }

  happen(what: string, host: Host, n: number): void {
    const session = this.sessionOf(host);
    const old = { host, session };
    switch (what) {
      case 'take':
        return this.take(host, n);
      case 'release':
        return this.release(n);
      case 'lease-over':
        this.over.add(session);
        this.note(
          leaseOver(item(host, session, { mayHold: this.mayHold, lists: { 'db/0': n % 4 } }), this.slot, 'db', FINDING),
        );
        this.session[host] += 1;
        return;
      case 'register':
        this.over.add(session);
        this.session[host] += 1;
        return this.note(successor({ ...old, machine: `m-${host}` }, item(host, this.sessionOf(host)), FINDING));
      case 'clone':
        // Another machine under the same name: the old session may run on.
        return this.note(
          successor({ ...old, machine: `m-${host}` }, item(host, `${session}-clone`, { machine: 'm-clone' }), FINDING),
        );
      case 'close':
        this.over.add(session);
        this.note(closed(old, report({ order: `closed.${session}`, session, group: '*', epoch: 0 }), FINDING));
        this.session[host] += 1;
        return;
      case 'apply': {
        const evidence = this.found[n % Math.max(1, this.found.length)];
        if (evidence !== undefined) {
          this.keep(withEvidence(this.group, 0, this.bend(evidence, this.slot), ['lease-over']));
        }
        return;
      }
      case 'phase':
        return this.keep(
          withPhase(
            this.group,
            { slot: 0, epoch: n % 6, session },
            n % 2 === 0 ? 'Active' : 'Failed',
            'reported',
            wallInstant(n),
          ),
        );
      case 'lists':
        this.group = withCandidates(this.group, 0, HOSTS.slice(0, 1 + (n % 3)), n % 4);
        return;
    }
  }

  private take(host: Host, n: number): void {
    // Plans are made from records of before, sometimes.
    const epoch = n % 5 === 0 ? Math.max(0, this.slot.epoch - 1) : this.slot.epoch;
    const owner = { host, principal: `p-${host}`, session: this.sessionOf(host) };
    this.keep(
      takeOwnership(this.group, {
        slot: 0,
        epoch,
        rev: 1,
        owner,
        candidates: HOSTS,
        nowMs: wallInstant(n),
        isMove: false,
        run: 'r',
      }),
    );
  }

  /** The owner, or one of an epoch before, reports the slot released in its epoch: nothing of that epoch starts again there. */
  private release(n: number): void {
    const epoch = Math.max(1, this.slot.epoch - (n % 3));
    const session = this.owners.get(epoch);
    if (session === undefined) return;
    this.givenUp.add(`${session} e${epoch}`);
    const [host = ''] = session.split('.');
    this.note(released({ host, session }, epoch, report({ session, epoch }), FINDING));
  }

  private keep(change: Change): void {
    if (!change.ok) return;
    const before = this.slot;
    this.group = change.group;
    const after = this.slot;
    if (after.evidence !== null && before.evidence === null) this.checkTruth(after, after.evidence);
    if (after.owner === before.owner) {
      must(after.epoch === before.epoch, 'an epoch without a change of owner');
      return;
    }
    this.changes += 1;
    must(after.epoch === before.epoch + 1, 'I3: an epoch that does not rise by one');
    must(before.owner === null || before.evidence?.session === before.owner.session, 'S7: a change without evidence');
    must(!this.owners.has(after.epoch), 'I3: two owners in one epoch');
    this.owners.set(after.epoch, after.owner?.session ?? '');
  }

  /** I4: what is recorded about the owner is true: its session is over, or it gave up this very epoch. */
  private checkTruth(slot: SlotRecord, evidence: Evidence): void {
    const session = slot.owner?.session ?? '';
    must(evidence.session === session, 'S7: evidence about another session');
    const isTrue = this.over.has(session) || this.givenUp.has(`${session} e${slot.epoch}`);
    must(isTrue, `I4: ${evidence.kind} about ${session}, which may run epoch ${slot.epoch}`);
  }
}

function live(mayHold: boolean, history: readonly { what: string; host: Host; n: number }[], bend: Bend): World {
  const world = new World(mayHold, bend);
  for (const { what, host, n } of history) {
    const { epoch } = world.slot;
    world.happen(what, host, n);
    must(world.slot.epoch >= epoch, 'I3: an epoch goes down');
    must(isOwned(world.slot) === (world.slot.owner !== null && world.slot.evidence === null), 'owned without an owner');
  }
  return world;
}

test('S7 I3 I4: one owner per epoch, epochs rise by one, and no change of owner but on true evidence about the owner', () => {
  let changes = 0;
  fc.assert(
    fc.property(fc.boolean(), happenings, (mayHold, history) => {
      changes += live(mayHold, history, (evidence) => evidence).changes;
    }),
    { numRuns: 2_000 },
  );
  expect(changes).toBeGreaterThan(2_000);
});

describe('the same property sees a record that', () => {
  const mutants: readonly (readonly [string, Bend, RegExp])[] = [
    [
      'takes evidence about any session',
      (evidence, { owner }) => ({ ...evidence, host: owner?.host ?? '', session: owner?.session ?? '' }),
      /I4/,
    ],
    ['takes a release of any epoch', (evidence, { epoch }) => ({ ...evidence, epoch }), /I4: released/],
  ];
  test.each(mutants)('%s', (_, bend, breaks) => {
    const property = fc.property(happenings, (history) => {
      live(false, history, bend);
    });
    const details = fc.check(property, { numRuns: 20_000, seed: 3, endOnFailure: true });
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toMatch(breaks);
  });
});
