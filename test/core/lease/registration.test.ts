import { describe, expect, test } from '@jest/globals';
import { MemoryStore } from '../../../adapters/memory/memory-store.ts';
import { registrationMove } from '../../../core/lease/registration.ts';
import type { Heartbeat, Registration } from '../../../core/protocol/records.ts';
import { beat, registration, TTL } from '../../contract/fixtures.ts';

function standing(session: string, changes: Partial<Registration> = {}): Heartbeat {
  return { ...registration(session, changes), ...beat(), principal: 'h1', seq: 7, directive: 3, ttl: TTL };
}

describe('S1: over what may this machine register?', () => {
  const self = { session: 's9', machine: 'i-0abc', bootId: 'boot-1', handover: ['s7', 's8'] };

  test.each([
    ['no item', undefined, { do: 'register', expected: null }],
    ['its own session: an answer was lost', standing('s9'), { do: 'stands' }],
    ['a revoked session', standing('revoked:run-1'), { do: 'register', expected: 'revoked:run-1' }],
    [
      'a revoked session of another machine',
      standing('revoked:run-1', { machine: 'i-0def' }),
      { do: 'register', expected: 'revoked:run-1' },
    ],
    ['a session of its own guard before this one', standing('s8'), { do: 'register', expected: 's8' }],
    ['a session of the boot before', standing('s1', { bootId: 'boot-0' }), { do: 'register', expected: 's1' }],
    [
      'a session of another guard of this boot',
      standing('s1'),
      { do: 'wait', why: 'another guard of this boot holds session s1' },
    ],
    [
      'a live session of another machine: a clone',
      standing('s1', { machine: 'i-0def', bootId: 'boot-0' }),
      { do: 'wait', why: "machine i-0def holds this host's session; two machines with one identity?" },
    ],
    [
      'a clone that shows a session which was handed over here',
      standing('s8', { machine: 'i-0def' }),
      { do: 'wait', why: "machine i-0def holds this host's session; two machines with one identity?" },
    ],
  ])('%s', (_, found, move) => {
    expect(registrationMove(found, self)).toEqual(move);
  });
});

/**
 * The race of registrations on one machine A, gone through exhaustively: three lives of its guard, each of whose
 * registrations may be committed late, while the slot's owner changes hands by `successor` as soon as the item shows
 * another session. Nothing of it may run on A and on B at once.
 */
interface World {
  readonly item: number;
  /** The guard's life, 0: dead; and the session that it knows to stand, 0: none. */
  readonly guard: number;
  readonly live: number;
  readonly lease: number;
  /** Session that owns the slot; 9: host B. */
  readonly owner: number;
  readonly epoch: number;
  readonly sent: readonly { readonly session: number; readonly expected: number }[];
  readonly runsOnA: boolean;
  readonly runsOnB: boolean;
  readonly born: number;
}

const LEASE = 3;
const KILL = 1;
const DEAD = { live: 0, guard: 0, runsOnA: false, lease: -KILL };
const START: World = {
  item: 1,
  guard: 1,
  live: 1,
  lease: LEASE,
  owner: 1,
  epoch: 1,
  sent: [],
  runsOnA: true,
  runsOnB: false,
  born: 1,
};

type Condition = 'exact session' | 'machine only';

/** What the item holds after a late registration, by the real store. */
async function committed(
  item: number,
  attempt: { session: number; expected: number },
  condition: Condition,
): Promise<number> {
  const store = new MemoryStore();
  store.plant('h1', standing(`s${item}`));
  const expected = condition === 'exact session' ? `s${attempt.expected}` : `s${item}`;
  await store.ownHeartbeat('h1').register(registration(`s${attempt.session}`), expected, beat(), TTL);
  return Number((await store.ownHeartbeat('h1').read())?.session.slice(1));
}

function expectedBy(world: World): number | null {
  const handover = Array.from({ length: world.guard - 1 }, (_, index) => `s${index + 1}`);
  const self = { session: `s${world.guard}`, machine: 'i-0abc', bootId: 'boot-1', handover };
  const move = registrationMove(standing(`s${world.item}`), self);
  return move.do === 'register' && move.expected !== null ? Number(move.expected.slice(1)) : null;
}

async function successors(world: World, condition: Condition): Promise<readonly World[]> {
  const next: World[] = [];
  const lease = Math.max(-KILL, world.lease - 1);
  next.push(world.runsOnA && lease + KILL <= 0 ? { ...world, ...DEAD, lease } : { ...world, lease });
  if (world.guard !== 0) next.push({ ...world, ...DEAD });
  if (world.guard === 0 && world.born < 3)
    next.push({ ...world, ...DEAD, guard: world.born + 1, born: world.born + 1 });
  const isSent = world.sent.some(({ session }) => session === world.guard);
  const expected = world.guard !== 0 && world.live === 0 && !isSent ? expectedBy(world) : null;
  if (expected !== null) next.push({ ...world, sent: [...world.sent, { session: world.guard, expected }] });
  for (const [index, attempt] of world.sent.entries()) {
    const item = await committed(world.item, attempt, condition);
    const isMine = item === attempt.session && item === world.guard;
    next.push({
      ...world,
      item,
      sent: world.sent.filter((_, other) => other !== index),
      ...(isMine ? { live: item, lease: LEASE } : {}),
    });
  }
  if (world.guard !== 0 && world.live !== 0) {
    next.push(world.item === world.live ? { ...world, lease: LEASE } : { ...world, ...DEAD });
    if (world.owner === world.live && world.lease > 0) next.push({ ...world, runsOnA: true });
  }
  if (world.owner !== 9 && world.item !== world.owner && world.epoch < 4) {
    next.push({ ...world, owner: world.item, epoch: world.epoch + 1 }, { ...world, owner: 9, epoch: world.epoch + 1 });
  }
  if (world.owner === 9) next.push({ ...world, runsOnB: true });
  return next;
}

/** The first world in which it runs twice, or how many were searched. */
async function search(condition: Condition): Promise<{ readonly twice: World | null; readonly searched: number }> {
  const known = new Set([JSON.stringify(START)]);
  const open: World[] = [START];
  for (let world = open.shift(); world !== undefined; world = open.shift()) {
    if (world.runsOnA && world.runsOnB) return { twice: world, searched: known.size };
    for (const next of await successors(world, condition)) {
      const key = JSON.stringify(next);
      if (known.has(key)) continue;
      known.add(key);
      open.push(next);
    }
  }
  return { twice: null, searched: known.size };
}

describe('S1: late registrations', () => {
  test('that name the exact session they read never let it run twice', async () => {
    const { twice, searched } = await search('exact session');
    expect(twice).toBeNull();
    expect(searched).toBeGreaterThan(100);
  });

  test('the search sees what a condition on the machine alone does', async () => {
    expect((await search('machine only')).twice).not.toBeNull();
  });
});
