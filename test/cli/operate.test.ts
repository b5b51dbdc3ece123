import { afterEach, describe, expect, test } from '@jest/globals';
import type { PlanView } from '../../core/protocol/views.ts';
import { holdfast, serve, type Api, type Asked, type Reply, type StageOptions } from './stage.ts';

const open: Api[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.close()));
});

const PLAN = ['ledger/0 moves to h2', 'h1 becomes maintenance'];

/** An API that plans the same for every verb, and starts one run when it is not only asked for the plan. */
async function planned(change: Partial<PlanView> = {}): Promise<Api> {
  const started = await serve(({ body }: Asked): Reply => {
    const isDry = (JSON.parse(body) as { dryRun?: boolean }).dryRun === true;
    return { body: { plan: PLAN, objections: [], runs: isDry ? [] : ['move.ledger.0.e4.1'], ...change } };
  });
  open.push(started);
  return started;
}

const yes: StageOptions = { isInteractive: true, says: 'yes' };
const sent = ({ asked }: Api): (readonly [string, unknown])[] =>
  asked.map(({ url, body }) => [url, JSON.parse(body) as unknown]);

describe('a verb that moves something', () => {
  test('shows its plan, asks, and says what it started', async () => {
    const api = await planned();
    const shown = await holdfast(['drain', 'h1', '--reason', 'new disk', '--api', api.url], yes);
    expect(shown).toEqual({
      exit: 0,
      err: 'Do this? [y/N] ',
      out:
        'Plan to drain h1:\n  ledger/0 moves to h2\n  h1 becomes maintenance\n' +
        'Started move.ledger.0.e4.1. Follow it: holdfast run move.ledger.0.e4.1 --follow\n',
    });
    expect(sent(api)).toEqual([
      ['/api/v1/hosts/h1/drain', { reason: 'new disk', dryRun: true }],
      ['/api/v1/hosts/h1/drain', { reason: 'new disk' }],
    ]);
  });

  test.each<[string, readonly string[], StageOptions, number, string]>([
    ['a no', ['drain', 'h1'], { isInteractive: true, says: 'n' }, 1, 'Nothing was changed.'],
    ['nobody to ask', ['drain', 'h1'], {}, 2, 'nobody can be asked here: add --yes'],
    ['nobody to ask, as JSON', ['drain', 'h1', '--json'], yes, 2, 'nobody can be asked here: add --yes'],
    ['--dry-run', ['drain', 'h1', '--dry-run'], {}, 0, 'Nothing was changed.'],
    ['switching off unasked', ['switch', 'off'], {}, 2, 'nobody can be asked here: add --yes'],
    ['another name than that of the host', ['fence', 'h1'], { isInteractive: true, says: 'h2' }, 1, 'Nothing was'],
    ['a yes instead of the name of the host', ['fence', 'h1'], yes, 1, 'Nothing was changed.'],
  ])('%s changes nothing', async (_, argv, options, exit, expected) => {
    const api = await planned();
    const shown = await holdfast([...argv, '--api', api.url], options);
    expect(shown.exit).toBe(exit);
    expect(shown.out + shown.err).toContain(expected);
    expect(sent(api)).toEqual([[expect.any(String), expect.objectContaining({ dryRun: true })]]);
  });

  test('what speaks against it stops it, whoever says yes, unless it is forced', async () => {
    const objections = ['h1 is the only one that can run ledger/0'];
    const api = await planned({ objections });
    const refused = await holdfast(['drain', 'h1', '--yes', '--api', api.url]);
    expect(refused).toMatchObject({ exit: 10, err: expect.stringContaining('add --force') });
    expect(refused.out).toContain('Against it:\n  h1 is the only one that can run ledger/0\n');
    const json = await holdfast(['drain', 'h1', '--yes', '--json', '--api', api.url]);
    expect([json.exit, json.out]).toEqual([10, expect.stringContaining('h1 is the only one')]);
    expect(sent(api).every(([, body]) => (body as { dryRun?: boolean }).dryRun === true)).toBe(true);

    const forced = await holdfast(['drain', 'h1', '--yes', '--force', '--api', api.url]);
    expect(forced.exit).toBe(0);
    expect(sent(api).at(-1)).toEqual(['/api/v1/hosts/h1/drain', { force: true }]);
  });

  test('fence takes the name of the host, typed, and passes it on', async () => {
    const api = await planned();
    const shown = await holdfast(['fence', 'h1', '--api', api.url], { isInteractive: true, says: 'h1' });
    expect([shown.exit, shown.err]).toEqual([0, 'Type the name of the host to power it off: ']);
    expect(sent(api).at(-1)).toEqual(['/api/v1/hosts/h1/fence', { confirm: 'h1' }]);
  });

  test('--yes --json prints the answer alone', async () => {
    const api = await planned();
    const { exit, out } = await holdfast(['lock', 'h1', '--reason', 'r', '--yes', '--json', '--api', api.url]);
    expect([exit, JSON.parse(out)]).toEqual([0, { plan: PLAN, objections: [], runs: ['move.ledger.0.e4.1'] }]);
  });

  test('text of the API cannot drive the terminal', async () => {
    const api = await planned({ plan: ['x\u001b[2J'], objections: ['y\u001b[2J'], runs: ['z\u001b[2J'] });
    const shown = await holdfast(['drain', 'h1', '--yes', '--force', '--api', api.url]);
    expect(shown.out).not.toContain('\u001b');
  });
});

describe('a reason', () => {
  test.each(['lock', 'disable', 'maintenance'])('%s asks for one', async (verb) => {
    const api = await planned();
    const silent = await holdfast([verb, 'h1', '--yes', '--api', api.url]);
    expect(silent).toMatchObject({ exit: 2, err: expect.stringContaining('add --reason TEXT') });
    expect(api.asked).toEqual([]);
    const shown = await holdfast([verb, 'h1', '--api', api.url], { isInteractive: true, says: 'y' });
    expect(shown).toMatchObject({ exit: 0, err: expect.stringContaining(`Why ${verb} h1? `) });
    expect(sent(api).at(-1)).toEqual([`/api/v1/hosts/h1/${verb}`, { reason: 'y' }]);
  });
});

describe('a verb that is undone by one word', () => {
  test.each<[readonly string[], string, unknown]>([
    [['enable', 'h1'], '/api/v1/hosts/h1/enable', {}],
    [['unlock', 'h1'], '/api/v1/hosts/h1/unlock', {}],
    [['maintenance', 'h1', '--off'], '/api/v1/hosts/h1/enable', {}],
    [['disable', 'h1', '--reason', 'r'], '/api/v1/hosts/h1/disable', { reason: 'r' }],
    [['switch', 'on'], '/api/v1/switch', { haEnabled: true }],
  ])('%j is done at once and says what it did', async (argv, path, body) => {
    const api = await planned({ runs: [] });
    const shown = await holdfast([...argv, '--api', api.url]);
    expect(shown).toEqual({ exit: 0, err: '', out: 'Done:\n  ledger/0 moves to h2\n  h1 becomes maintenance\n' });
    expect(sent(api)).toEqual([[path, body]]);
  });

  test('--dry-run only shows the plan', async () => {
    const api = await planned();
    const shown = await holdfast(['enable', 'h1', '--dry-run', '--api', api.url]);
    expect([shown.exit, shown.out]).toEqual([0, expect.stringContaining('Plan to enable h1:')]);
    expect(sent(api)).toEqual([['/api/v1/hosts/h1/enable', { dryRun: true }]]);
  });
});

test('switching off says what it means and takes a yes', async () => {
  const api = await planned({ runs: [] });
  expect((await holdfast(['switch', 'off', '--reason', 'tonight', '--api', api.url], yes)).exit).toBe(0);
  expect(sent(api)).toEqual([
    ['/api/v1/switch', { haEnabled: false, reason: 'tonight', dryRun: true }],
    ['/api/v1/switch', { haEnabled: false, reason: 'tonight' }],
  ]);
});
