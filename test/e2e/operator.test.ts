import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { RunStoryView, RunsView, StatusView } from '../../core/protocol/views.ts';
import { until } from '../local/fleet/until.ts';
import { epochsOf, holdfast, LIMIT_MS, phasesOf, Place, SAMPLE } from './system.ts';
import type { Ran } from './system.ts';

const EXTRA = `
  - name: extra
    redundancy: { model: n-plus-m, active: 1, standby: 1 }
    services:
      - name: extra
        agent: exec
        params: { command: holdfast-sample --name extra }
        monitor: { every: 1s, timeout: 1s }
        actions: { start: { timeout: 5s }, stop: { timeout: 250ms } }
`;

let place: Place;
const cli = (...args: string[]): Promise<Ran> => holdfast(place.folder, ...args);
const status = (): Promise<StatusView> => place.api().status();

beforeAll(async () => {
  place = new Place();
  writeFileSync(join(place.folder, 'sample.yaml'), readFileSync(SAMPLE, 'utf8'));
  writeFileSync(join(place.folder, 'more.yaml'), readFileSync(SAMPLE, 'utf8') + EXTRA);
  writeFileSync(join(place.folder, 'bad.yaml'), readFileSync(SAMPLE, 'utf8').replace('active: 2', 'active: two'));
  await place.startAndWait();
}, LIMIT_MS);
afterAll(() => place.clear(), LIMIT_MS);

function untilPhases(what: string, holds: (phases: string[]) => boolean): Promise<void> {
  return until(what, async () => holds(phasesOf(await status())), LIMIT_MS);
}

/** One JSON object, and nothing else. */
function json<T>({ status: exit, out }: Ran): T {
  expect(exit).toBe(0);
  expect(out.trimEnd()).not.toContain('\n');
  return JSON.parse(out) as T;
}

describe('the command line against a running system', () => {
  test(
    'status, as text and as JSON',
    async () => {
      const text = await cli('status');
      expect(text).toMatchObject({ status: 0, err: '' });
      expect(text.out).toContain('Cluster demo, definition 1.');
      for (const word of ['h1', 'h2', 'h3', 'ledger', 'broker', 'web', 'Active']) expect(text.out).toContain(word);
      expect(text.out).not.toContain('\u001b');

      const view = json<StatusView>(await cli('status', '--json'));
      expect(view.hosts.map((host) => `${host.name} ${host.status}`)).toEqual(['h1 Up', 'h2 Up', 'h3 Up']);
      expect(view.groups.map((group) => group.name)).toEqual(['ledger', 'broker', 'web']);
    },
    LIMIT_MS,
  );

  test(
    'a group is added, removed, and comes back above the epoch that its tombstone kept',
    async () => {
      expect((await cli('validate', 'more.yaml')).out).toContain('Valid: cluster demo: 3 hosts, 4 groups');
      expect((await cli('apply', 'more.yaml')).status).toBe(2); // Nobody to ask, and no --yes.
      expect((await status()).rev).toBe(1);

      const added = await cli('apply', '--yes', 'more.yaml');
      expect(added).toMatchObject({ status: 0 });
      expect(added.out).toContain('Saved as definition 2.');
      await untilPhases('extra', (phases) => phases.includes('extra/0 Active'));
      const owner = (await status()).groups.find(({ name }) => name === 'extra')?.slots[0]?.owner;
      const epoch = epochsOf(await status())['extra/0'] ?? Number.NaN;

      expect((await cli('apply', '--yes', 'sample.yaml')).out).toContain('Saved as definition 3.');
      expect((await status()).groups.map(({ name }) => name)).not.toContain('extra');
      await until(
        'the stop of extra',
        async () => {
          const { hosts } = await status();
          return hosts.every(({ slots }) => !slots.some((slot) => slot.group === 'extra' && slot.phase === 'Active'));
        },
        LIMIT_MS,
      );
      const { runs } = json<RunsView>(await cli('runs', '--json'));
      expect(runs.find(({ work }) => work === 'Stop')).toMatchObject({ group: 'extra', slot: 0 });
      expect(owner).toMatch(/^h[123]$/);

      expect((await cli('apply', '--yes', 'more.yaml')).out).toContain('Saved as definition 4.');
      await untilPhases('extra again', (phases) => phases.includes('extra/0 Active'));
      expect(epochsOf(await status())['extra/0']).toBe(epoch + 1);
    },
    LIMIT_MS * 3,
  );

  test(
    'a definition with a mistake changes nothing',
    async () => {
      const before = await status();
      const refused = await cli('apply', '--yes', 'bad.yaml');
      expect(refused.status).toBe(2);
      expect(refused.out).toContain('bad.yaml:');
      expect(refused.out).toContain('groups[1].redundancy.active');
      expect(refused.out).toContain('nothing was changed');
      const after = await status();
      expect(after.rev).toBe(before.rev);
      expect(epochsOf(after)).toEqual(epochsOf(before));
    },
    LIMIT_MS,
  );

  test(
    'a move, its run as a story, and the events of it',
    async () => {
      await untilPhases('ledger', (phases) => phases.includes('ledger/0 Active'));
      const before = await status();
      const from = before.groups.find(({ name }) => name === 'ledger')?.slots[0]?.owner ?? '';
      const to = before.hosts.map(({ name }) => name).find((name) => name !== from) ?? '';
      expect((await cli('move', 'ledger', '--to', to)).status).toBe(2); // Nobody to ask, and no --yes.
      const moved = await cli('move', 'ledger', '--to', to, '--yes');
      expect(moved.status).toBe(0);
      expect(moved.out).toContain(`${from} is ordered to stop it`);
      const run = /holdfast run (\S+)/.exec(moved.out)?.[1] ?? '';
      await until('the end of the move', async () => (await place.api().run(run)).run.closedAtMs !== null, LIMIT_MS);

      const ledger = (await status()).groups.find(({ name }) => name === 'ledger')?.slots[0];
      expect(ledger).toMatchObject({ owner: to, phase: 'Active', evidenceKind: 'released' });
      const story = await cli('run', run);
      expect(story.status).toBe(0);
      const told = story.out.replace(/\s+/g, ' ');
      expect(told).toContain(`ledger/0 is to move from ${from} to ${to}`);
      expect(told).toContain(`${from} released ledger/0`);
      expect(told).toContain(`ledger/0 is Active on ${to}`);
      const steps = json<RunStoryView>(await cli('run', run, '--json')).steps.map(({ step }) => step);
      expect(steps).toEqual(expect.arrayContaining(['Open', 'Release ledger/0', 'Place ledger/0', 'Close']));
      expect((await cli('runs')).out).toContain(run);
      const events = (await cli('events', '--limit', '100')).out.replace(/\s+/g, ' ');
      expect(events).toContain(`ledger/0 goes to ${to}`);
      expect(events).toContain('definition 1 applied');
    },
    LIMIT_MS * 2,
  );

  test(
    'what does not exist, a wrong token and an API that is away have exit statuses of their own',
    async () => {
      expect(await cli('run', 'no-such-run')).toMatchObject({ status: 3, out: '' });
      expect(await cli('show', 'group', 'nothing')).toMatchObject({ status: 3 });
      const wrong = await cli('--token', 'guessed', 'status');
      expect(wrong).toMatchObject({ status: 4, out: '' });
      expect(wrong.err).toContain('Give the token with --token');
      const away = await cli('--api', 'http://127.0.0.1:1', 'status');
      expect(away).toMatchObject({ status: 22, out: '' });
      expect(away.err).toContain('npm start');
    },
    LIMIT_MS,
  );
});
