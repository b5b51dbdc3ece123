import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { EventView, StatusView } from '../../core/protocol/views.ts';
import { LISTENERS_MAX, openStream, sseText, type StreamItem } from '../../lambdas/api/stream.ts';
import { Listener } from '../../lambdas/api/stream-listener.ts';
import { recordEvent } from '../../lambdas/shared/run-log.ts';
import { PAIR } from './definitions.ts';
import { createWorld, type World } from './world.ts';

jest.setTimeout(60_000); // Virtual time is cheap, not free, on a machine that others use.

interface Client {
  readonly items: StreamItem[];
  readonly done: Promise<void>;
  leave(): void;
}

const clients: Client[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.leave();
});

function listen(world: World, lastEventId?: string): Client {
  const gone = new AbortController();
  const items: StreamItem[] = [];
  const read = async (): Promise<void> => {
    for await (const item of openStream(world.ports, { cluster: null, lastEventId, signal: gone.signal }))
      items.push(item);
  };
  const client = { items, done: read(), leave: () => gone.abort() };
  clients.push(client);
  return client;
}

const eventsOf = ({ items }: Client): readonly EventView[] =>
  items.flatMap((item) => (item.type === 'event' ? [item.data] : []));
const says = (client: Client): readonly string[] => eventsOf(client).map((event) => event.says);
const statusesOf = ({ items }: Client): readonly StatusView[] =>
  items.flatMap((item) => (item.type === 'status' ? [item.data] : []));

const note = (world: World, text: string): Promise<void> =>
  recordEvent(world.ports, world.cluster, { kind: 'note', subject: 'x', says: text, run: null, by: 'test' });

async function settled(): Promise<World> {
  const world = await createWorld({ yaml: PAIR });
  await world.whole();
  await world.run(6_000);
  return world;
}

describe('the stream', () => {
  test('sends the state at once, and a change within 250 ms', async () => {
    const world = await settled();
    const client = listen(world);
    await world.until('it has the state', () => statusesOf(client).length > 0, 250);
    const before = statusesOf(client).length;
    await world.http('POST', '/api/v1/switch', '{"haEnabled":false}');
    await world.until('it is told', () => statusesOf(client).at(-1)?.haEnabled === false, 250);
    expect(says(client)).toEqual(['operator switched high availability of pair off (no reason given)']);
    expect(statusesOf(client).length).toBe(before + 1);
  });

  test('beats are no news: without a change the state comes every 5 s', async () => {
    const world = await settled();
    const client = listen(world);
    await world.run(20_000);
    expect(statusesOf(client).length).toBeGreaterThanOrEqual(4);
    expect(statusesOf(client).length).toBeLessThanOrEqual(6);
  });

  test('a run is told step by step to its end', async () => {
    const world = await settled();
    const client = listen(world);
    await world.run(200);
    const { run = '' } = await world.move('db/0');
    await world.whole();
    await world.run(500);
    const stories = client.items.flatMap((item) => (item.type === 'run' ? [item.data] : []));
    expect(stories.at(-1)?.run).toMatchObject({ run, outcome: 'Moved' });
    expect(stories.at(-1)?.steps.at(-1)?.step).toBe('Close');
    expect(stories.length).toBeGreaterThan(1);
  });

  test.each(['while others listened', 'while nobody did'])(
    'a client that comes back misses nothing, %s',
    async (how) => {
      const world = await settled();
      const client = listen(world);
      if (how === 'while others listened') listen(world);
      await world.run(200);
      await note(world, 'one');
      await world.until('it is told', () => says(client).includes('one'), 250);
      client.leave();
      await client.done;
      await world.run(7_000);
      await note(world, 'two');
      await world.run(7_000);
      await note(world, 'three');
      const back = listen(world, eventsOf(client).at(-1)?.id);
      await note(world, 'four');
      await world.until('it is told', () => says(back).includes('four'), 250);
      expect(says(back).filter((text) => text !== 'one')).toEqual(['two', 'three', 'four']);
    },
  );

  test('an event that is written late is told, and once', async () => {
    const world = await settled();
    const client = listen(world);
    await world.run(200);
    const lateWall = { now: () => (world.ports.wall.now() - 2_000) as ReturnType<typeof world.ports.wall.now> };
    await note(world, 'first');
    await world.run(300);
    await recordEvent({ ...world.ports, wall: lateWall }, world.cluster, {
      kind: 'note',
      subject: 'x',
      says: 'late',
      run: null,
      by: 'test',
    });
    await world.run(2_000);
    expect(says(client)).toEqual(['first', 'late']);
  });

  test('while the store is away the client is told that the API lives, and then what changed', async () => {
    const world = await settled();
    const client = listen(world);
    await world.run(200);
    world.isControlDown = true;
    await world.run(31_000);
    expect(client.items.filter((item) => item.type === 'keep-alive')).toHaveLength(2);
    world.isControlDown = false;
    await note(world, 'back');
    await world.until('it is told', () => says(client).includes('back'), 6_000);
  });

  test('listeners are bounded; those beyond are refused', async () => {
    const world = await settled();
    for (let at = 0; at < LISTENERS_MAX; at += 1) listen(world);
    await world.run(200);
    await expect(listen(world).done).rejects.toMatchObject({ code: 'limit_exceeded' });
  });

  test('what cannot be opened is refused before the first message', async () => {
    const world = await settled();
    await expect(listen(world, 'nonsense').done).rejects.toMatchObject({ code: 'config_invalid' });
    const signal = new AbortController().signal;
    const elsewhere = openStream(world.ports, { cluster: 'elsewhere', signal });
    await expect(elsewhere.next()).rejects.toMatchObject({ code: 'not_found' });
  });

  test('when the last listener has left, nobody reads any more', async () => {
    const world = await settled();
    const client = listen(world);
    await world.run(1_000);
    client.leave();
    await client.done;
    await world.run(1_000);
    world.isControlDown = true; // Reads would be logged as failed.
    await world.run(5_000);
    expect(world.logged.filter((line) => line.includes('stream of'))).toEqual([]);
  });

  test('as one answer, where nothing can be held open', async () => {
    const world = await settled();
    const answer = await world.http('GET', '/api/v1/stream');
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.body).toMatch(/^retry: 2000\n\nevent: status\ndata: \{.*\}\n\n$/);
  });
});

describe('a listener', () => {
  const event = (no: number): EventView => ({
    id: `${String(no).padStart(14, '0')}-a`,
    atMs: no,
    kind: 'note',
    subject: 'x',
    says: String(no),
    run: null,
    by: 'test',
  });

  test('that is too slow is ended, so that it comes back for what it missed', async () => {
    const listener = new Listener();
    for (let no = 0; no <= 1_000; no += 1) listener.push({ type: 'event', data: event(no) });
    expect(await listener.next()).toBe('ended');
  });

  test('gets what it missed first, and nothing twice', async () => {
    const listener = new Listener();
    listener.push({ type: 'event', data: event(2) });
    listener.catchUp([event(1), event(2)]);
    listener.push({ type: 'event', data: event(2) });
    listener.push({ type: 'event', data: event(3) });
    const read = [await listener.next(), await listener.next(), await listener.next()];
    expect(read).toMatchObject([1, 2, 3].map((no) => ({ data: { says: String(no) } })));
  });

  test('its messages go over the wire one by one', () => {
    const message = { type: 'event', data: { ...event(1), says: 'a\nb' } } as const;
    expect(sseText(message)).toBe(
      'id: 00000000000001-a\nevent: event\ndata: {"id":"00000000000001-a","atMs":1,"kind":"note","subject":"x","says":"a\\nb","run":null,"by":"test"}\n\n',
    );
    expect(sseText({ type: 'keep-alive' })).toBe(': keep-alive\n\n');
  });
});
