import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deviceWatchdog } from '../../../adapters/node/watchdog-device.ts';
import { initWatchdog } from '../../../adapters/node/watchdog-init.ts';
import type { WatchdogOrder } from '../../../adapters/node/watchdog-init.ts';
import { instant } from '../../../core/time/time.ts';

describe('watchdog device, on ordinary files', () => {
  let folder = '';
  let paths = { device: '', timeout: '' };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-watchdog-'));
    paths = { device: join(folder, 'watchdog0'), timeout: join(folder, 'timeout') };
    writeFileSync(paths.device, '');
    writeFileSync(paths.timeout, '5\n');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('arms, feeds, and closes by magic', async () => {
    const watchdog = deviceWatchdog(paths);
    watchdog.feed();
    expect(readFileSync(paths.device, 'latin1')).toBe('');
    await watchdog.arm(5_000);
    watchdog.feed();
    watchdog.feed();
    watchdog.disarm();
    watchdog.feed();
    expect(readFileSync(paths.device, 'latin1')).toBe('\0\0\0V');
  });

  test.each(['4', '50', '5.0', '', 'x'])(
    'a time-out of %j is refused, and the device is never opened',
    async (text) => {
      writeFileSync(paths.timeout, text);
      const watchdog = deviceWatchdog({ ...paths, device: join(folder, 'none') });
      await expect(watchdog.arm(5_000)).rejects.toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining('V5'),
      });
    },
  );

  test('what cannot be read back or opened is refused', async () => {
    await expect(deviceWatchdog({ ...paths, device: join(folder, 'none') }).arm(5_000)).rejects.toMatchObject({
      code: 'config_invalid',
    });
    await expect(deviceWatchdog({ ...paths, timeout: join(folder, 'none') }).arm(5_000)).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});

describe('watchdog of init', () => {
  class Channel extends EventEmitter {
    connected = true;
    readonly sent: WatchdogOrder[] = [];
    send(order: WatchdogOrder): void {
      this.sent.push(order);
    }
  }
  const clock = { now: () => instant(1_234) };

  test('arms by what init reads back, feeds with the moment of feeding', async () => {
    const channel = new Channel();
    const watchdog = initWatchdog(channel, clock);
    const armed = watchdog.arm(400);
    channel.emit('message', { other: 1 });
    channel.emit('message', { armed: 400 });
    await armed;
    watchdog.feed();
    watchdog.disarm();
    expect(channel.sent).toEqual([{ arm: 400 }, { feed: 1_234 }, { disarm: true }]);
    expect(channel.listenerCount('message')).toBe(0);
  });

  test('refuses another time-out', async () => {
    const channel = new Channel();
    const armed = initWatchdog(channel, clock).arm(400);
    channel.emit('message', { armed: 500 });
    await expect(armed).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('a lost channel is fed nothing', () => {
    const channel = new Channel();
    channel.connected = false;
    initWatchdog(channel, clock).feed();
    expect(channel.sent).toEqual([]);
  });
});
