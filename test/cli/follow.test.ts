import { afterEach, describe, expect, test } from '@jest/globals';
import type { EventView, RunStoryView, StreamMessage } from '../../core/protocol/views.ts';
import { OPEN_RUN, RUN, STATUS, STORY } from './samples.ts';
import { holdfast, serve, streamOf, type Api, type Asked, type Reply } from './stage.ts';

const open: Api[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

async function api(answer: (asked: Asked) => Reply): Promise<Api> {
  const started = await serve(answer);
  open.push(started);
  return started;
}

const lines = (text: string): string[] => text.split('\n').slice(0, -1);
const STREAM = '/api/v1/stream';
const status: StreamMessage = { type: 'status', data: STATUS };
const event = (id: string): EventView => {
  return { id, atMs: 3_723_004, kind: 'host-status', subject: 'h1', says: `says ${id}`, run: null, by: 'find-behind' };
};
const away: Reply = {
  status: 503,
  body: { type: 'about:blank', title: 'away', status: 503, detail: 'the store is away', code: 'store_unavailable' },
};
const nothingThere: Reply = {
  status: 404,
  body: { type: 'about:blank', title: 'none', status: 404, detail: 'there is nothing at it', code: 'not_found' },
};

describe('events --follow', () => {
  const ids = (out: string) => lines(out).map((line) => (JSON.parse(line) as { id: string }).id);

  test('shows each once, whether the stream or the past brings it, and goes on after a lost connection', async () => {
    const streams: (readonly StreamMessage[])[] = [
      [status, { type: 'event', data: event('2') }, { type: 'event', data: event('3') }],
      [status, { type: 'event', data: event('4') }, { type: 'event', data: event('5') }],
    ];
    const pages: Record<string, readonly EventView[]> = {
      '/api/v1/events?limit=20': [event('1'), event('2')],
      '/api/v1/events?limit=1000&after=3': [event('4')],
    };
    const { url, asked } = await api(({ url: path }) =>
      path === STREAM ? streamOf(streams.shift() ?? []) : { body: { events: pages[path] ?? [], next: null } },
    );
    const { exit, out } = await holdfast(['events', '--follow', '--json', '--api', url], {
      onPause: (round) => round < 2,
    });
    expect([exit, ids(out)]).toEqual([0, ['1', '2', '3', '4', '5']]);
    expect(asked.map(({ url: path }) => path)).toEqual([
      STREAM,
      '/api/v1/events?limit=20',
      STREAM,
      '/api/v1/events?limit=1000&after=3',
    ]);
  });

  test('says once that the API is away, and that it is back', async () => {
    const replies = [away, away, streamOf([status])];
    const { url } = await api(({ url: path }) =>
      path === STREAM ? (replies.shift() ?? away) : { body: { events: [event('1')], next: null } },
    );
    const shown = await holdfast(['events', '--follow', '--api', url], { onPause: (round) => round < 3 });
    expect(shown.err).toBe('the store is away\nWaiting for it.\nThe API is back.\n');
    expect(shown.out).toBe('01:02:03.004  h1          host-status       says 1 (find-behind)\n');
  });

  test('asks again and again where the API has no stream', async () => {
    const pages = [[event('1')], [], [event('2')]];
    const { url, asked } = await api(({ url: path }) =>
      path === STREAM ? nothingThere : { body: { events: pages.shift() ?? [], next: null } },
    );
    const { out } = await holdfast(['events', '--follow', '--json', '--api', url], { onPause: (round) => round < 3 });
    expect(ids(out)).toEqual(['1', '2']);
    expect(asked.filter(({ url: path }) => path === STREAM)).toHaveLength(1);
  });

  test('ends with the exit status of a fault that does not pass by itself', async () => {
    const { url } = await api(() => ({ status: 401, body: 'no' }));
    expect((await holdfast(['events', '--follow', '--api', url])).exit).toBe(4);
  });
});

describe('run ID --follow', () => {
  const [first, second, third] = STORY.steps;
  const upTo = (steps: RunStoryView['steps']): RunStoryView => ({ run: OPEN_RUN, steps });

  test('tells each step once and ends with the run', async () => {
    if (first === undefined || second === undefined || third === undefined) throw new Error('three steps');
    const stream = streamOf([
      status,
      { type: 'run', data: upTo([first, second]) },
      { type: 'run', data: { ...STORY, run: { ...STORY.run, run: 'another' } } },
      { type: 'run', data: STORY },
      { type: 'run', data: STORY },
    ]);
    const { url } = await api(({ url: path }) => (path === STREAM ? stream : { body: upTo([first]) }));
    const { exit, out } = await holdfast(['run', RUN, '--follow', '--api', url]);
    expect(exit).toBe(0);
    const heads = lines(out).filter((line) => /^ +\+/.test(line));
    expect(heads.map((line) => line.trim())).toEqual([
      '+0 ms  Open (12 ms)',
      '+50 ms  Ask peers: unknown (340 ms)',
      '+400 ms  Await proof (1.9 s)',
      '+4.3 s  Done: Recovered',
    ]);
    expect(out).toContain('Still Investigating. Opened');
    expect(lines(out).at(-1)).toBe('the bound.');
  });

  test('a long step that turns up before one that was told already is told, too', async () => {
    if (first === undefined || second === undefined || third === undefined) throw new Error('three steps');
    const stream = streamOf([
      { type: 'run', data: upTo([first, third]) },
      { type: 'run', data: upTo([first, second, third]) },
      { type: 'run', data: STORY },
    ]);
    const { url } = await api(({ url: path }) => (path === STREAM ? stream : { body: upTo([first]) }));
    const { out } = await holdfast(['run', RUN, '--follow', '--api', url]);
    const heads = lines(out).filter((line) => /^ +\+/.test(line));
    expect(heads.map((line) => line.trim().split('  ')[1])).toEqual([
      'Open (12 ms)',
      'Await proof (1.9 s)',
      'Ask peers: unknown (340 ms)',
      'Done: Recovered',
    ]);
  });

  test('shows one that has ended whole, and asks for no stream', async () => {
    const { url, asked } = await api(() => ({ body: STORY }));
    const followed = await holdfast(['run', RUN, '--follow', '--api', url]);
    const shown = await holdfast(['run', RUN, '--api', url]);
    expect(followed).toEqual(shown);
    expect(asked).toHaveLength(2);
  });

  test('an unknown run', async () => {
    const { url } = await api(() => nothingThere);
    expect((await holdfast(['run', 'none', '--follow', '--api', url])).exit).toBe(3);
  });
});

test('runs --follow shows what there is, then each step and end once', async () => {
  const begun: RunStoryView = { run: OPEN_RUN, steps: STORY.steps.slice(0, 1) };
  const stream = streamOf([
    status,
    { type: 'run', data: begun },
    { type: 'run', data: { ...begun, steps: STORY.steps.slice(0, 2) } },
    { type: 'run', data: STORY },
  ]);
  const { url } = await api(({ url: path }) => {
    if (path === STREAM) return stream;
    return { body: path.startsWith('/api/v1/runs?') ? { runs: [OPEN_RUN], next: null } : begun };
  });
  const { exit, out } = await holdfast(['runs', '--follow', '--api', url]);
  expect(exit).toBe(0);
  expect(lines(out).filter((line) => !line.startsWith('  '))).toEqual([
    RUN,
    `${RUN}  +0 ms  Open`,
    `${RUN}  +50 ms  Ask peers`,
    `${RUN}  +400 ms  Await proof`,
    RUN,
  ]);
});
