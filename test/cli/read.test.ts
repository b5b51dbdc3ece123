import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RunView } from '../../core/protocol/views.ts';
import { STATUS, STORY, OPEN_RUN, RUN } from './samples.ts';
import { holdfast, serve, type Api, type Asked, type Reply } from './stage.ts';

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

describe('status', () => {
  test('is one screen of aligned tables', async () => {
    const { url, asked } = await api(() => ({ body: STATUS }));
    const shown = await holdfast(['status', '--api', url, '--token', 'secret']);
    expect(shown).toMatchObject({ exit: 0, err: '' });
    expect(asked).toEqual([
      expect.objectContaining({ method: 'GET', url: '/api/v1/status', authorization: 'Bearer secret' }),
    ]);
    expect(lines(shown.out)).toEqual([
      'Cluster demo, definition 4.',
      'Recovers within 8.9 s if one eligible host is left; survives 1.1 s without AWS before peers must',
      'help.',
      '',
      'HOST  STATUS         LAST BEAT   ADMIN        SLOTS                WHY',
      'h1    Investigating  2.3 s ago   enabled      ledger/0 was Active  no beat since 412',
      'h2    Up             120 ms ago  enabled      -',
      'h3    Connecting     never       maintenance  -',
      '',
      'GROUP   HEALTH    SLOT  PHASE   OWNER  EPOCH  STANDBY  WHY',
      'ledger  ok        0     Active  h1     3      h2       started',
      'broker  degraded  0     Active  h2     1      -        started',
      '                  1     Held    -      7               no host is left that may take it: h3 is in',
      '                                                       maintenance and h2 runs slot 0 already',
      '',
      'Open runs',
      RUN,
      '  Investigating  Failover of h1, opened 2.2 s ago, still open',
      '  h1 fell silent; its lease runs out in 1.2 s',
    ]);
  });

  test('--json is the view itself', async () => {
    const { url } = await api(() => ({ body: { ...STATUS, later: 1 } }));
    const { out } = await holdfast(['status', '--json', '--api', url]);
    expect(JSON.parse(out)).toEqual({ ...STATUS, later: 1 });
  });

  test('says when HA is switched off, and never exceeds 100 columns', async () => {
    const longest = {
      ...STATUS,
      haEnabled: false,
      hosts: STATUS.hosts.map((host, i) => ({ ...host, name: `${i}${'h'.repeat(29)}`, why: 'because '.repeat(40) })),
      groups: STATUS.groups.map((group) => ({
        ...group,
        name: 'g'.repeat(24),
        standbys: ['s'.repeat(30), 't'.repeat(30)],
      })),
    };
    const { url } = await api(() => ({ body: longest }));
    const { out } = await holdfast(['status', '--api', url]);
    expect(out).toContain('HA IS SWITCHED OFF');
    expect(Math.max(...lines(out).map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test.each([
    ['a terminal', { isTerminal: true }, true],
    ['a terminal with NO_COLOR', { isTerminal: true, env: { NO_COLOR: '1' } }, false],
    ['a pipe', { isTerminal: false }, false],
  ])('colour on %s: %j', async (_, options, isColoured) => {
    const { url } = await api(() => ({ body: STATUS }));
    const { out } = await holdfast(['status', '--api', url], options);
    expect(out.includes('\u001b[32mUp\u001b[0m')).toBe(isColoured);
    expect(out.includes('\u001b')).toBe(isColoured);
  });

  test('text of the API cannot drive the terminal', async () => {
    const hosts = STATUS.hosts.map((host) => ({ ...host, why: 'x\u001b[2Jy\r\n' }));
    const { url } = await api(() => ({ body: { ...STATUS, hosts } }));
    const { out } = await holdfast(['status', '--api', url]);
    expect(out).not.toContain('\u001b');
    expect(out).toContain('x [2Jy');
  });
});

describe('status --watch', () => {
  test('keeps the last view with its age while the API is away', async () => {
    let isAway = false;
    const problem = {
      type: 'about:blank',
      title: 'away',
      status: 503,
      detail: 'the store does not answer',
      code: 'store_unavailable',
    };
    const { url } = await api(() => (isAway ? { status: 503, body: problem } : { body: STATUS }));
    const { exit, out } = await holdfast(['status', '--watch', '--api', url], {
      onPause: (round) => {
        isAway = round === 1;
        return round < 3;
      },
    });
    expect(exit).toBe(0);
    expect(out.match(/Cluster demo, definition 4\./g)).toHaveLength(3);
    expect(out.match(/THE API IS AWAY; what follows is 0 ms old: the store does not answer/g)).toHaveLength(1);
  });

  test('ends with the exit status of a fault that does not pass by itself', async () => {
    const { url } = await api(() => ({ status: 401, body: 'no' }));
    expect(await holdfast(['status', '--watch', '--api', url], { onPause: () => true })).toMatchObject({ exit: 4 });
  });
});

describe('runs', () => {
  test('a run reads as a story', async () => {
    const { url, asked } = await api(() => ({ body: STORY }));
    const { exit, out } = await holdfast(['run', RUN, '--api', url], { nowMs: 1_005_000 });
    expect(exit).toBe(0);
    expect(asked[0]?.url).toBe(`/api/v1/runs/${RUN}`);
    expect(lines(out)).toEqual([
      `Run ${RUN}`,
      '  Failover of host h1: find out whether it is gone, make sure that it runs nothing any more, and',
      '  only then start elsewhere what it owned.',
      '  Done: Recovered after 4.3 s. Opened 1970-01-01 00:16:37 UTC, 7.2 s ago.',
      '  ledger/0 runs on h2',
      '  Below: time since the opening, what was done (how long it took), what was found.',
      '',
      '     +0 ms  Open (12 ms)',
      '            h1 is claimed; it owns ledger/0',
      '    +50 ms  Ask peers: unknown (340 ms)',
      '            no peer has heard h1 since 2.1 s',
      '   +400 ms  Await proof (1.9 s)',
      '            version 412 stood for 3.41 s, longer than the 3.40 s of its session; the session was',
      '            revoked',
      '            Evidence: the lease had run out and was revoked (lease-over).',
      '            Because version 412 stood for longer than its lease.',
      '    +4.3 s  Done: Recovered',
      '            What the host owned has an owner again.',
      '',
      "Computed bound: 8.9 s from the moment that the host's last heartbeat was seen. It took 4.9 s: within",
      'the bound.',
    ]);
  });

  test('a run that left a slot waiting says so at its end', async () => {
    const summary = 'ledger/0 is Active on h2; web/2 waits for a host';
    const { url } = await api(() => ({ body: { ...STORY, run: { ...STORY.run, summary } } }));
    const { out } = await holdfast(['run', RUN, '--api', url]);
    expect(out).toContain('web/2 does not run: it waits for a host that may take it.');
    expect(out).not.toContain('What the host owned has an owner again.');
  });

  test.each<[string, Partial<RunView>, string]>([
    ['longer than the bound', { boundMs: 4000 }, 'It took 4.9 s: LONGER than the bound'],
    ['not over', { closedAtMs: null, outcome: null, phase: 'Fencing' }, '7.8 s have passed.'],
    ['held', { phase: 'Held', outcome: 'Held' }, 'The run ended otherwise after 4.9 s.'],
  ])('a run that is %s says so beside its bound', async (_, change, expected) => {
    const { url } = await api(() => ({ body: { ...STORY, run: { ...STORY.run, ...change } } }));
    const { out } = await holdfast(['run', RUN, '--api', url], { nowMs: 1_005_000 });
    expect(out.replaceAll('\n', ' ')).toContain(expected);
  });

  test('a run that harmed nothing is not measured; planned work has no bound', async () => {
    const alive = { ...STORY.run, phase: 'Cancelled', outcome: 'Alive' };
    const { url } = await api(() => ({ body: { ...STORY, run: alive } }));
    const { out } = await holdfast(['run', RUN, '--api', url]);
    expect(out).toContain('The host renewed its lease after all. Nothing was stopped, nothing was moved.');
    expect(out).not.toContain('bound');
  });

  test('the list passes its limit on', async () => {
    const { url, asked } = await api(() => ({ body: { runs: [OPEN_RUN], next: null } }));
    const { out } = await holdfast(['runs', '--limit', '5', '--api', url]);
    expect(asked[0]?.url).toBe('/api/v1/runs?limit=5');
    expect(lines(out)[0]).toBe(RUN);
  });
});

describe('events', () => {
  const event = (id: string, atMs: number) => ({
    id,
    atMs,
    kind: 'host-status',
    subject: 'h1',
    says: `says ${id}`,
    run: null,
    by: 'find-behind',
  });

  test('are listed with their age', async () => {
    const { url } = await api(() => ({ body: { events: [event('1', 995_000), event('2', 999_660)], next: null } }));
    const { out } = await holdfast(['events', '--api', url]);
    expect(lines(out)).toEqual([
      '5.0 s ago   h1  host-status  says 1 (find-behind)',
      '340 ms ago  h1  host-status  says 2 (find-behind)',
    ]);
  });
});

describe('faults end with their exit status and say what to do', () => {
  const problem = (code: string, status: number) => ({
    type: 'about:blank',
    title: 't',
    status,
    detail: `detail of ${code}`,
    code,
  });

  test.each([
    ['not_found', 404, 3],
    ['unauthorized', 401, 4],
    ['forbidden', 403, 5],
    ['conflict', 409, 10],
    ['stale_epoch', 409, 11],
    ['store_throttled', 503, 23],
    ['no_host', 409, 34],
    ['timed_out', 504, 42],
  ])('%s', async (code, status, exit) => {
    const { url } = await api(() => ({ status, body: problem(code, status) }));
    const shown = await holdfast(['status', '--api', url]);
    expect(shown).toMatchObject({ exit, out: '' });
    expect(shown.err).toContain(`detail of ${code}`);
    const asJson = await holdfast(['status', '--json', '--api', url]);
    expect(JSON.parse(asJson.out)).toMatchObject({ error: { code } });
  });

  test('an API that is not there', async () => {
    const gone = await serve(() => ({ body: '' }));
    await gone.close();
    const { url } = gone;
    const shown = await holdfast(['status', '--api', url]);
    expect(shown.exit).toBe(22);
    expect(shown.err).toContain(`no answer from ${url}`);
    expect(shown.err).toContain('npm start');
  });

  test.each([
    ['a page of something else', '<html>', 43, 'is it a Holdfast API of another version?'],
    ['a view that lacks its hosts', { ...STATUS, hosts: undefined }, 43, 'lacks or misstates hosts'],
  ])('%s', async (_, body, exit, expected) => {
    const { url } = await api(() => ({ body }));
    const shown = await holdfast(['status', '--api', url]);
    expect(shown.exit).toBe(exit);
    expect(shown.err).toContain(expected);
  });

  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['drian', 'h1'], '(Did you mean drain?)'],
    [['status', '--wacth'], '(Did you mean --watch?)'],
    [['switch', 'of'], 'Allowed choices are on, off'],
    [['show', 'host'], 'show host NAME'],
    [['runs', '--limit', '0'], 'must be a whole number from 1 to 500'],
    [['status', '--api', 'ftp://x'], 'must be an http or https URL'],
  ])('%j is refused', async (argv, expected) => {
    const shown = await holdfast(argv);
    expect(shown.exit).toBe(2);
    expect(shown.err).toContain(expected);
  });
});

describe('where the API is', () => {
  test('the environment, and the file that a local system leaves', async () => {
    const { url, asked } = await api(() => ({ body: STATUS }));
    const directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
    try {
      await mkdir(join(directory, '.holdfast'));
      await writeFile(join(directory, '.holdfast', 'api.json'), JSON.stringify({ url, token: 'of-the-file' }));
      expect((await holdfast(['status'], { directory })).exit).toBe(0);
      expect((await holdfast(['status'], { directory, env: { HOLDFAST_TOKEN: 'of-the-environment' } })).exit).toBe(0);
      expect((await holdfast(['status'], { env: { HOLDFAST_API: url } })).exit).toBe(0);
      expect(asked.map(({ authorization }) => authorization)).toEqual([
        'Bearer of-the-file',
        'Bearer of-the-environment',
        undefined,
      ]);
      await writeFile(join(directory, '.holdfast', 'api.json'), '{');
      expect((await holdfast(['status'], { directory })).exit).toBe(2);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
