import { describe, expect, test } from '@jest/globals';
import type { PoweredOff } from '../../../core/protocol/power-records.ts';
import { FakeWorld, wall } from './fake-world.ts';

const I4 = (world: FakeWorld): readonly string[] => world.violations('I4');

function off(session = 's-h1'): PoweredOff {
  const read = {
    ...{ state: 'stopped' as const, principal: 'p-h1', launchTime: '2026-01-05T09:00:00Z' },
    ...{ askedAtMs: wall(5_000), answeredAtMs: wall(5_100) },
  };
  return { session, machine: 'i-h1', reads: [read, { ...read, askedAtMs: wall(7_200), answeredAtMs: wall(7_300) }] };
}

describe('I4: what is kept of two reads of power is true (S7)', () => {
  test('the machine is off', () => {
    expect(I4(new FakeWorld().at(0).beat('h1').at(4_000).machine('h1', 'off').host('h1', { off: off() }))).toEqual([]);
  });

  test('it was off since that session began, and is on again', () => {
    const world = new FakeWorld().at(0).beat('h1').at(4_000).machine('h1', 'off').at(6_000).machine('h1', 'on');
    expect(I4(world.host('h1', { off: off() }))).toEqual([]);
  });

  test('it is on, and was off only before that session began', () => {
    const world = new FakeWorld().at(0).beat('h1').at(100).machine('h1', 'off').at(200).machine('h1', 'on');
    const [says] = I4(
      world
        .at(300)
        .beat('h1', 's-new')
        .at(8_000)
        .host('h1', { off: off('s-new') }),
    );
    expect(says).toContain('session s-new of h1 was recorded as off (stopped and stopped): i-h1 is on');
  });

  test('said once, however often the record is written again', () => {
    const world = new FakeWorld().at(0).beat('h1').at(8_000).host('h1', { off: off() });
    expect(I4(world.at(9_000).host('h1', { off: off(), why: 'more' }))).toHaveLength(1);
  });
});
