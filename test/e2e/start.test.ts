import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { until } from '../local/fleet/until.ts';
import { ALL_ACTIVE, alive, descendantsOf, end, epochsOf, LIMIT_MS, phasesOf, Place } from './system.ts';

const HOSTS = ['h1', 'h2', 'h3'];
/** main, and below it the control plane, the witness, and on each host init, guard, agent and two services or more. */
const DESCENDANTS_MIN = 2 + 3 * 4;

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.clear(), LIMIT_MS);

function read(...path: string[]): string {
  return readFileSync(join(place.state, ...path), 'utf8');
}

function incarnations(): string[] {
  return HOSTS.map((host) => read('hosts', host, 'state', 'incarnation.json'));
}

describe('npm start', () => {
  test(
    'brings every sample group up; a second one on the folder is refused; Ctrl-C leaves nothing behind',
    async () => {
      const { child, said } = await place.startAndWait();
      expect(phasesOf(await place.api().status()).toSorted()).toEqual(ALL_ACTIVE);
      expect(said()).not.toContain(readJson('api.json')['token']);

      const second = place.start();
      expect(await end(second.child)).toBe(10);
      expect(second.said()).toContain(`another runtime works in ${place.state}`);
      expect(phasesOf(await place.api().status()).toSorted()).toEqual(ALL_ACTIVE);

      const descendants = descendantsOf(child.pid);
      expect(descendants.length).toBeGreaterThanOrEqual(DESCENDANTS_MIN);
      expect(place.marked().length).toBeGreaterThan(0);
      expect(await end(child, 'SIGINT')).toBe(0);
      expect(alive(descendants)).toEqual([]);
      expect(place.marked()).toEqual([]);
      expect(readdirSync(place.state)).not.toContain('runtime.json');
    },
    LIMIT_MS * 2,
  );

  test(
    'SIGKILL leaves nothing behind; the next start goes on where it was; --reset begins anew',
    async () => {
      const first = await place.startAndWait();
      const before = { epochs: epochsOf(await place.api().status()), incarnations: incarnations() };
      expect(new Set(before.incarnations).size).toBe(1);
      const descendants = descendantsOf(first.child.pid);
      expect(await end(first.child, 'SIGKILL')).toBe('SIGKILL');
      await until('the end of all', () => alive(descendants).length === 0 && place.marked().length === 0, LIMIT_MS);

      const second = await place.startAndWait();
      const after = await place.api().status();
      expect(phasesOf(after).toSorted()).toEqual(ALL_ACTIVE);
      expect(after.rev).toBe(1);
      expect(incarnations()).toEqual(before.incarnations);
      const epochs = epochsOf(after);
      // Each slot was lost with its session, so each has a new owner session, and thereby a later epoch.
      for (const [slot, epoch] of Object.entries(before.epochs)) expect(epochs[slot]).toBeGreaterThan(epoch);
      expect(await end(second.child, 'SIGTERM')).toBe(0);

      await place.startAndWait('--reset');
      expect(phasesOf(await place.api().status()).toSorted()).toEqual(ALL_ACTIVE);
      expect(incarnations()).not.toEqual(before.incarnations);
      expect(Object.values(epochsOf(await place.api().status()))).toEqual([1, 1, 1, 1, 1, 1]);
    },
    LIMIT_MS * 4,
  );

  test(
    'comes up with broken files in its folder, and its logs say which',
    async () => {
      const first = await place.startAndWait();
      const epochs = epochsOf(await place.api().status());
      await end(first.child, 'SIGKILL');
      await until('the end of all', () => place.marked().length === 0, LIMIT_MS);
      for (const host of HOSTS) {
        const state = join(place.state, 'hosts', host, 'state');
        writeFileSync(join(state, 'ledger.json'), '{"sessions": [');
        for (const file of readdirSync(join(state, 'slots'))) writeFileSync(join(state, 'slots', file), '\0\0garbage');
      }
      const executions = join(place.state, 'control', 'executions', 'executions');
      const broken = readdirSync(executions)[0] ?? 'none';
      truncateSync(join(executions, broken), 100);
      writeFileSync(join(place.state, 'api.json'), 'garbage');
      writeFileSync(join(place.state, 'runtime.json'), '{}');
      writeFileSync(join(place.state, 'launches.json'), '[]');

      const second = await place.startAndWait();
      const status = await place.api().status();
      expect(phasesOf(status).toSorted()).toEqual(ALL_ACTIVE);
      for (const [slot, epoch] of Object.entries(epochs)) expect(epochsOf(status)[slot]).toBeGreaterThan(epoch);
      expect(second.said()).toContain('launches.json cannot be read');
      expect(read('control.log')).toContain(`the execution file ${broken} cannot be used and was moved to corrupt/`);
      for (const host of HOSTS) {
        const log = read('hosts', host, 'instance.log');
        expect(log).toMatch(/ledger.*(cannot be read|unreadable)/i);
        expect(log).toMatch(/(web|ledger|broker)\.\d\.json/);
      }
    },
    LIMIT_MS * 3,
  );

  test(
    'a folder with other files in it is refused and left as it is',
    async () => {
      mkdirSync(place.state);
      writeFileSync(join(place.state, 'thesis.txt'), 'precious');
      const { child, said } = place.start('--reset');
      expect(await end(child)).toBe(10);
      expect(said()).toContain(`${place.state} holds other files: give an empty or a new folder by --state`);
      expect(readdirSync(place.state)).toEqual(['thesis.txt']);
      expect(read('thesis.txt')).toBe('precious');
    },
    LIMIT_MS,
  );

  test(
    'a port that others use is refused at once, and nothing is left behind',
    async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      try {
        const { child, said } = place.start('--port', String(port));
        expect(await end(child)).toBe(10);
        expect(said()).toContain(`port ${String(port)} cannot be used`);
        expect(said()).toContain('give another port by --port');
        expect(place.marked()).toEqual([]);
        expect(readdirSync(place.state)).toEqual(['HOLDFAST']);
      } finally {
        other.close();
      }
    },
    LIMIT_MS,
  );
});

function readJson(file: string): Record<string, string> {
  return JSON.parse(read(file)) as Record<string, string>;
}
