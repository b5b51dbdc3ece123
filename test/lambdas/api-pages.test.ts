import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { RunRecord } from '../../core/protocol/records.ts';
import type { EventsView, RunsView } from '../../core/protocol/views.ts';
import { wallAfter } from '../../core/time/time.ts';
import { closeRun, openRun, recordEvent } from '../../lambdas/shared/run-log.ts';
import { PAIR } from './definitions.ts';
import { World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

const DAY_MS = 24 * 3_600_000;
let world: World;
beforeEach(async () => {
  world = new World();
  await world.apply(PAIR);
});

async function get<T>(path: string): Promise<T> {
  const answer = await world.http('GET', path);
  expect([answer.statusCode, answer.body.slice(0, 300)]).toEqual([200, expect.any(String)]);
  return JSON.parse(answer.body) as T;
}

async function opened(run: string): Promise<void> {
  const record: RunRecord = {
    run,
    cluster: 'pair',
    work: 'HA',
    host: 'h1',
    session: null,
    seq: null,
    group: null,
    slot: null,
    phase: 'Investigating',
    outcome: null,
    summary: '',
    openedAtMs: world.ports.wall.now(),
    closedAtMs: null,
    observedAtMs: null,
    boundMs: 4_000,
  };
  await openRun(world.ports, record);
  await world.clock.advance(1_000);
}

async function noted(text: string, agoMs = 0): Promise<void> {
  const wall = { now: () => wallAfter(world.ports.wall.now(), -agoMs) };
  const about = { kind: 'note', subject: 'x', says: text, run: null, by: 'test' };
  await recordEvent({ ...world.ports, wall }, 'pair', about);
  await world.clock.advance(10);
}

describe('pages of runs', () => {
  test('newest first, none twice and none left out while new ones come', async () => {
    for (const run of ['r1', 'r2', 'r3', 'r4', 'r5']) await opened(run);
    const first = await get<RunsView>('/api/v1/runs?limit=2');
    expect(first.runs.map(({ run }) => run)).toEqual(['r5', 'r4']);
    await opened('r6');
    const second = await get<RunsView>(`/api/v1/runs?limit=2&cursor=${first.next ?? ''}`);
    expect(second.runs.map(({ run }) => run)).toEqual(['r3', 'r2']);
    const third = await get<RunsView>(`/api/v1/runs?limit=2&cursor=${second.next ?? ''}`);
    expect(third).toMatchObject({ runs: [{ run: 'r1', boundMs: 4_000 }], next: null });
    expect((await get<RunsView>('/api/v1/runs?limit=6')).next).toBeNull();
  });

  test('an open run is read again, a closed one is what it was', async () => {
    await opened('r1');
    expect((await get<RunsView>('/api/v1/runs')).runs[0]).toMatchObject({ closedAtMs: null });
    await closeRun(world.ports, 'r1', { phase: 'Done', outcome: 'Alive', summary: 'it renewed' });
    expect((await get<RunsView>('/api/v1/runs')).runs[0]).toMatchObject({ outcome: 'Alive', summary: 'it renewed' });
    expect((await get<RunsView>('/api/v1/runs')).runs[0]).toMatchObject({ outcome: 'Alive', summary: 'it renewed' });
  });
});

describe('pages of events', () => {
  const says = ({ events }: EventsView): readonly string[] => events.map((event) => event.says);

  test('back to the first, over days, while new ones come', async () => {
    await noted('a', 3 * DAY_MS);
    await noted('b', DAY_MS);
    for (const text of ['c', 'd', 'e']) await noted(text);
    const first = await get<EventsView>('/api/v1/events?limit=2');
    expect(says(first)).toEqual(['d', 'e']);
    await noted('f');
    const second = await get<EventsView>(`/api/v1/events?limit=2&cursor=${first.next ?? ''}`);
    expect(says(second)[1]).toBe('c');
    const third = await get<EventsView>(`/api/v1/events?limit=2&cursor=${second.next ?? ''}`);
    expect(says(third)).toEqual(['a', 'b']);
    expect(third.next).toBeNull();
  });

  test('those that follow one, however many there are, and then those before them', async () => {
    await noted('start', DAY_MS);
    const start = (await get<EventsView>('/api/v1/events')).events[0]?.id ?? '';
    for (let no = 0; no < 60; no += 1) await noted(String(no));
    const page = await get<EventsView>(`/api/v1/events?after=${start}&limit=3`);
    expect(says(page).slice(1)).toEqual(['0', '1']);
    const before = await get<EventsView>(`/api/v1/events?limit=5&cursor=${page.next ?? ''}`);
    expect(says(before)).toEqual(['start']);
    const last = (await get<EventsView>('/api/v1/events?limit=1')).events[0]?.id ?? '';
    expect(await get<EventsView>(`/api/v1/events?after=${last}`)).toEqual({ events: [], next: null });
  });

  test.each([
    ['/api/v1/runs?cursor=nonsense', 'cursor'],
    ['/api/v1/runs?cursor=', 'cursor'],
    [`/api/v1/runs?cursor=${Buffer.from('events:00000000000001-a').toString('base64url')}`, 'cursor'],
    [`/api/v1/events?cursor=${Buffer.from('runs:00000000000001#a').toString('base64url')}`, 'cursor'],
    [`/api/v1/events?cursor=${Buffer.from('events:x').toString('base64url')}`, 'cursor'],
    ['/api/v1/events?after=x', 'after'],
    [
      `/api/v1/events?after=00000000000001-a&cursor=${Buffer.from('events:00000000000001-a').toString('base64url')}`,
      'one of them',
    ],
    ['/api/v1/runs?limit=5&limit=6', 'once'],
    ['/api/v1/runs?page=2', 'known here'],
    ['/api/v1/definition?dryRun=yes', 'known here'],
  ])('%s is refused', async (path, words) => {
    const answer = await world.http('GET', path);
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toContain(words);
  });
});
