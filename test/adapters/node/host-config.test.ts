import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readHostConfig } from '../../../adapters/node/host-config.ts';

const CONFIG = {
  cluster: 'demo',
  host: 'h1',
  principal: 'arn:aws:ec2:local:000000000000:instance/i-1',
  machine: 'i-1',
  bootId: 'b',
  launchTime: '2026-01-01T00:00:00.000Z',
  stateDir: '/var/lib/holdfast',
  region: 'local',
  tables: { heartbeats: 'heartbeats', registry: 'registry' },
  instanceMark: 'x',
  watchdog: { kind: 'init' },
  guardEntry: 'guard.mjs',
  agentEntry: 'agent.mjs',
  sampleCommand: [],
};

let file = '';
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'holdfast-config-')), 'config.json');
});
afterEach(() => {
  rmSync(join(file, '..'), { recursive: true });
});

const read = (config: unknown) => {
  writeFileSync(file, JSON.stringify(config));
  return readHostConfig(file);
};

describe('host configuration', () => {
  test('is read as it was written', () => {
    expect(read(CONFIG)).toEqual(CONFIG);
    const onEc2 = { ...CONFIG, watchdog: { kind: 'device', device: '/dev/watchdog0', timeout: '/sys/timeout' } };
    expect(read(onEc2)).toEqual(onEc2);
  });

  test.each([
    ['an unknown key', { ...CONFIG, hots: 'h1' }, 'hots'],
    ['a missing field', { ...CONFIG, machine: undefined }, 'machine'],
    ['an empty name', { ...CONFIG, host: '' }, 'host'],
    ['an endpoint that is no URL', { ...CONFIG, endpoint: 'here' }, 'endpoint'],
    ['a watchdog of no known kind', { ...CONFIG, watchdog: { kind: 'soft' } }, 'watchdog'],
  ])('%s is refused by name', (_what, config, name) => {
    expect(() => read(config)).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(name) }),
    );
  });

  test('a file that is missing or cut short is refused', () => {
    expect(() => readHostConfig(file)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
    writeFileSync(file, '{"cluster":');
    expect(() => readHostConfig(file)).toThrow(expect.objectContaining({ code: 'config_invalid' }));
  });
});
