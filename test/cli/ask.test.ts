import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { DoctorView, SimulateView, WhyView } from '../../core/protocol/views.ts';
import { STATUS } from './samples.ts';
import { holdfast, serve, type Api, type Asked, type Reply } from './stage.ts';

const open: Api[] = [];
let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-cli-'));
  await writeFile(join(directory, 'c.yaml'), 'cluster: demo\n');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});
afterAll(() => rm(directory, { recursive: true }));

async function api(answer: (asked: Asked) => Reply): Promise<Api> {
  const started = await serve(answer);
  open.push(started);
  return started;
}

const SIMULATED: SimulateView = {
  says: ['h1 is taken for dead; ledger/0 needs an owner'],
  slots: [{ group: 'ledger', slot: 0, from: 'h1', to: 'h2', why: 'warm standby' }],
  unchanged: 2,
  health: [
    { group: 'ledger', before: 'ok', after: 'warn' },
    { group: 'web', before: 'ok', after: 'ok' },
  ],
  bound: { recoveryMs: 8854, outageMs: 1125 },
};

describe('simulate', () => {
  test('supposes changes in their order, whatever their kind', async () => {
    const { url, asked } = await api(() => ({ body: SIMULATED }));
    const argv = ['--down', 'h1', '--add', 'h4,zone=b,label.disk=ssd,cpu=4,memoryMb=8192', '--definition', 'c.yaml'];
    const shown = await holdfast(['simulate', ...argv, '--down', 'h2', '--api', url], { directory });
    expect(shown.exit).toBe(0);
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({
      changes: [
        { change: 'host-down', host: 'h1' },
        {
          change: 'host-added',
          host: { name: 'h4', zone: 'b', labels: { disk: 'ssd' }, capacity: { cpu: 4, memoryMb: 8192 } },
        },
        { change: 'definition', yaml: 'cluster: demo\n' },
        { change: 'host-down', host: 'h2' },
      ],
    });
    expect(shown.out).toBe(
      [
        'If h1 goes down, then h4 is added (zone b, disk=ssd, 4 cpu, 8192 MB), then c.yaml is applied, then',
        'h2 goes down:',
        '  h1 is taken for dead; ledger/0 needs an owner',
        '',
        'SLOT      FROM  TO  WHY',
        'ledger/0  h1    h2  warm standby',
        '2 slots stay where they are.',
        'Group ledger: ok, then warn.',
        'Recovers within 8.9 s; survives 1.1 s without AWS.',
        'Nothing was changed.',
        '',
      ].join('\n'),
    );
  });

  test('a slot without a host is an exit status', async () => {
    const slots = [{ group: 'ledger', slot: 0, from: 'h1', to: null, why: 'h2 is locked' }];
    const { url } = await api(() => ({ body: { ...SIMULATED, slots } }));
    const shown = await holdfast(['simulate', '--down', 'h1', '--api', url]);
    expect(shown.exit).toBe(1);
    expect(shown.out).toContain('ledger/0  h1    nowhere  h2 is locked\n');
    const json = await holdfast(['simulate', '--down', 'h1', '--json', '--api', url]);
    expect([json.exit, JSON.parse(json.out)]).toEqual([1, { ...SIMULATED, slots }]);
  });

  test.each([
    [['simulate'], 2, 'say what to suppose'],
    [['simulate', '--add', 'zone=b'], 2, 'got "zone=b"'],
    [['simulate', '--add', 'h4,cpu=many'], 2, 'got "cpu=many"'],
    [['simulate', '--add', 'h4,colour=red'], 2, 'got "colour=red"'],
    [['simulate', '--definition', 'none.yaml'], 3, 'cannot read none.yaml'],
  ])('%j', async (argv, exit, expected) => {
    expect(await holdfast(argv, { directory })).toMatchObject({ exit, err: expect.stringContaining(expected) });
  });
});

describe('why', () => {
  const view = (slot: number): WhyView => ({
    group: 'broker',
    slot,
    owner: slot === 0 ? 'h2' : null,
    hosts: [
      { host: 'h1', verdict: 'next', why: 'free', change: null, scores: { warm: 1, balance: -1, spread: 0 } },
      { host: 'h2', verdict: 'owner', why: 'it runs it', change: null, scores: null },
      { host: 'h3', verdict: 'dropped', why: 'it is in maintenance', change: 'enable the host', scores: null },
    ],
  });
  const answers = ({ url }: Asked): Reply => {
    if (url === '/api/v1/status') return { body: STATUS };
    return { body: view(Number(/slots\/(\d+)\/why$/.exec(url)?.[1])) };
  };

  test('one slot: every host with its verdict, its scores and what would change it', async () => {
    const { url, asked } = await api(answers);
    const shown = await holdfast(['why', 'broker/0', '--api', url]);
    expect(asked.map(({ url: path }) => path)).toEqual(['/api/v1/groups/broker/slots/0/why']);
    expect(shown).toMatchObject({ exit: 0, err: '' });
    expect(shown.out.split('\n')).toEqual([
      'broker/0 belongs to h2. Would go to h1 if that ended now.',
      '',
      'HOST  VERDICT  WHY',
      'h1    next     free [warm 1, balance -1]',
      'h2    owner    it runs it',
      'h3    cannot   it is in maintenance; to change this: enable the host',
      '',
    ]);
  });

  test('a group: each of its slots, one JSON object a line', async () => {
    const { url } = await api(answers);
    const { out } = await holdfast(['why', 'broker', '--json', '--api', url]);
    const lines = out.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([view(0), view(1)]);
    expect((await holdfast(['why', 'broker', '--api', url])).out).toContain(
      'broker/1 runs nowhere; h1 would take it now.',
    );
  });

  test.each([
    ['nobody', 3],
    ['a/b/c', 2],
    ['/0', 2],
  ])('%s', async (subject, exit) => {
    const { url } = await api(answers);
    expect((await holdfast(['why', subject, '--api', url])).exit).toBe(exit);
  });
});

describe('doctor', () => {
  const ok = { id: 'ha-switch', verdict: 'ok', subject: 'demo', says: 'HA is switched on', change: null } as const;
  const warn = { id: 'agent-versions', verdict: 'warn', subject: 'demo', says: 'two', change: 'upgrade' } as const;
  const fail = { id: 'host-up', verdict: 'fail', subject: 'h1', says: 'it is Down', change: 'start it' } as const;

  test.each<[string, DoctorView['checks'], number]>([
    ['nothing', [ok], 0],
    ['a warning', [ok, warn], 0],
    ['a failure', [ok, warn, fail], 1],
  ])('%s', async (_, checks, exit) => {
    const { url } = await api(() => ({ body: { checks } }));
    const shown = await holdfast(['doctor', '--json', '--api', url]);
    expect([shown.exit, JSON.parse(shown.out)]).toEqual([exit, { checks }]);
    expect((await holdfast(['doctor', '--api', url])).exit).toBe(exit);
  });

  test('the worst first, each with what to do; what is fine on demand', async () => {
    const { url } = await api(() => ({ body: { checks: [ok, warn, fail] } }));
    const { out } = await holdfast(['doctor', '--api', url]);
    expect(out).toBe(
      [
        'fail  h1 (host-up)',
        '      it is Down',
        '      Do: start it.',
        'warn  demo (agent-versions)',
        '      two',
        '      Do: upgrade.',
        '',
        '1 failure, 1 warning, 1 fine (--all shows these too).',
        '',
      ].join('\n'),
    );
    expect((await holdfast(['doctor', '--all', '--api', url])).out).toContain('ok    demo (ha-switch)\n');
  });

  test('all well', async () => {
    const { url } = await api(() => ({ body: { checks: [ok] } }));
    expect((await holdfast(['doctor', '--api', url])).out).toBe(
      'Nothing found that would break a failover (0 failures, 0 warnings, 1 fine; --all shows what was looked at).\n',
    );
  });
});
