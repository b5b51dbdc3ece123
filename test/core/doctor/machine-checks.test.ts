import { describe, expect, test } from '@jest/globals';
import type { FenceMethod } from '../../../core/config/model.ts';
import type { DoctorFacts } from '../../../core/doctor/facts.ts';
import {
  defeatsFence,
  egressCheck,
  fenceTestCheck,
  guardPathCheck,
  machineCases,
  machineChecks,
} from '../../../core/doctor/machine-checks.ts';
import type { FenceTestRecord, SeenSettings } from '../../../core/protocol/fence-test-records.ts';
import { wallInstant } from '../../../core/time/time.ts';
import { definition, group, host } from '../placement/fixtures.ts';
import { fenceTest } from './fence-tests.ts';

const DAY = 86_400_000;
const BY_POWER: readonly (readonly FenceMethod[])[] = [['ec2'], ['lease']];
const BY_LEASE: readonly (readonly FenceMethod[])[] = [['lease']];

function facts(test: FenceTestRecord | null, fencing = BY_POWER): DoctorFacts {
  const base = definition([group('ledger', {})], [host('h1')]);
  const hosts = base.hosts.map((one) => ({ ...one, instanceId: 'i-h1', fencing }));
  const account = { partition: 'aws', region: 'eu-west-1', id: '1' };
  return {
    record: { cluster: 'c', rev: 1, incarnation: 'x', haEnabled: true, account },
    definition: { ...base, hosts },
    ...{ hosts: [], groups: [], heartbeats: new Map(), lastSweepMs: null, troubles: [] },
    ...{ power: new Map(), powerUnasked: [], fenceFunction: 'SiteControl-ha-fence', nowMs: wallInstant(10 * DAY) },
    fenceTests: new Map(test === null ? [] : [['h1', test]]),
  };
}

const seen = (change: Partial<Extract<SeenSettings, { outcome: 'seen' }>>): Pick<FenceTestRecord, 'seen'> => {
  const well = fenceTest('h1').seen;
  if (well.outcome !== 'seen') throw new Error('the fixture is seen');
  return { seen: { ...well, ...change } };
};
const inGroup = (
  lifecycle: string,
  around: Partial<NonNullable<FenceTestRecord['group']>> = {},
): Pick<FenceTestRecord, 'scaling' | 'group'> => ({
  scaling: { member: 'yes', group: 'web', lifecycle },
  group: { isHarmless: false, hasTag: false, ...around },
});
const REFUSED = { stop: { outcome: 'refused', says: 'UnauthorizedOperation: no' } } as const;

const bad = (given: DoctorFacts) => machineChecks(given).filter(({ verdict }) => verdict !== 'ok');
const brief = (given: DoctorFacts) => bad(given).map(({ id, verdict }) => `${verdict} ${id}`);

test('whose rights to look at is told by the name that the Lambda has in this deployment', () => {
  const unseen = {
    ...REFUSED,
    ...seen({ isStopProtected: null }),
    scaling: { member: 'unknown', says: 'no' },
  } as const;
  const given = facts(fenceTest('h1', unseen));
  expect(bad(given).map(({ id, change }) => [id, change?.includes(' SiteControl-ha-fence')])).toEqual([
    ['fence-rights', true],
    ['stop-protection', true],
    ['scaling-group', true],
  ]);
  const nameless = bad({ ...given, fenceFunction: null });
  expect(nameless.map(({ change }) => change?.includes(' ha-fence'))).toEqual([true, true, true]);
});

describe('what is set around a machine', () => {
  test.each<[string, Partial<FenceTestRecord>, readonly (readonly FenceMethod[])[], readonly string[]]>([
    ['a host enrolled well', {}, BY_POWER, []],
    ['the fence may not stop it', REFUSED, BY_POWER, ['fail fence-rights']],
    ['not known whether it may', { stop: { outcome: 'unknown', says: 'throttled' } }, BY_POWER, ['warn fence-rights']],
    ['fenced by lease, without the tag', { stop: null, ...seen({ hasTag: false }) }, BY_LEASE, ['warn fence-rights']],
    ['stop protection', seen({ isStopProtected: true }), BY_POWER, ['fail stop-protection']],
    ['stop protection of one fenced by lease', { stop: null, ...seen({ isStopProtected: true }) }, BY_LEASE, []],
    ['stop protection not known', seen({ isStopProtected: null }), BY_POWER, ['warn stop-protection']],
    ['in service of a group', inGroup('InService'), BY_POWER, ['fail scaling-group']],
    ['of a group that the fence may change', inGroup('InService', { hasTag: true }), BY_POWER, ['warn scaling-group']],
    ['of a group that replaces nothing', inGroup('InService', { isHarmless: true }), BY_POWER, []],
    ['in standby', inGroup('Standby'), BY_POWER, []],
    ['in service, fenced by lease', { stop: null, ...inGroup('InService') }, BY_LEASE, ['warn scaling-group']],
    ['membership not known', { scaling: { member: 'unknown', says: 'denied' } }, BY_POWER, ['warn scaling-group']],
    ['auto-recovery', seen({ autoRecovery: 'default' }), BY_POWER, ['warn auto-recovery']],
    ['auto-recovery not said', seen({ autoRecovery: null }), BY_POWER, []],
    ['bare metal', seen({ type: 'm7g.metal' }), BY_POWER, ['warn slow-stop']],
    ['bare metal of a size', seen({ type: 'i4i.metal-24xl' }), BY_POWER, ['warn slow-stop']],
    ['nothing could be read', { seen: { outcome: 'unknown', says: 'throttled' } }, BY_POWER, []],
  ])('%s', (_, change, fencing, expected) => {
    expect(brief(facts(fenceTest('h1', change), fencing))).toEqual(expected);
  });

  test.each<[string, Partial<FenceTestRecord>, string]>([
    [
      'no tag',
      { ...REFUSED, ...seen({ hasTag: false }) },
      'aws ec2 create-tags --region eu-west-1 --resources i-h1 --tags Key=holdfast,Value=host',
    ],
    ['no right', REFUSED, 'service control policy'],
    [
      'stop protection',
      seen({ isStopProtected: true }),
      'aws ec2 modify-instance-attribute --region eu-west-1 --instance-id i-h1 --no-disable-api-stop',
    ],
    [
      'a group',
      inGroup('InService'),
      'aws autoscaling enter-standby --region eu-west-1 --auto-scaling-group-name web --instance-ids i-h1 --should-decrement-desired-capacity',
    ],
    [
      'auto-recovery',
      seen({ autoRecovery: 'default' }),
      'aws ec2 modify-instance-maintenance-options --region eu-west-1 --instance-id i-h1 --auto-recovery disabled',
    ],
  ])('%s: says by which command it is mended', (_, change, command) => {
    const [found] = bad(facts(fenceTest('h1', change)));
    expect(found?.change).toContain(command);
    expect(found?.says.length).toBeGreaterThan(40);
  });

  test('a person is called about what defeats a fence, and about nothing else', () => {
    const of = (change: Partial<FenceTestRecord>): number =>
      machineCases(facts(fenceTest('h1', change))).flatMap(defeatsFence).length;
    expect(of(REFUSED)).toBe(1);
    expect(of(seen({ isStopProtected: true }))).toBe(1);
    expect(of(inGroup('InService'))).toBe(1);
    expect(of({ ...REFUSED, ...seen({ isStopProtected: true }) })).toBe(2);
    expect(of(inGroup('InService', { hasTag: true }))).toBe(0);
    expect(of(seen({ autoRecovery: 'default', type: 'm7g.metal' }))).toBe(0);
    expect(of({ stop: { outcome: 'unknown', says: 'throttled' } })).toBe(0);
  });
});

describe('the test itself', () => {
  const verdict = (given: DoctorFacts) => fenceTestCheck(given).map((check) => check.verdict);

  test('never, too long ago, or of another machine: not known, and nothing is judged by it', () => {
    expect(verdict(facts(fenceTest('h1')))).toEqual(['ok']);
    expect(verdict(facts(null))).toEqual(['warn']);
    const old = facts(fenceTest('h1', { ...REFUSED, atMs: wallInstant(7 * DAY - 1) }));
    expect(verdict(old)).toEqual(['warn']);
    expect(brief(old)).toEqual([]);
    const other = facts(fenceTest('h1', { ...REFUSED, machine: 'i-before' }));
    expect(verdict(other)).toEqual(['warn']);
    expect(brief(other)).toEqual([]);
  });

  test('is made by hand by a command that runs as it stands; where there is no such function, none is told', () => {
    const told = (given: DoctorFacts) => fenceTestCheck(given)[0]?.change ?? '';
    expect(told(facts(null))).toContain(
      'aws lambda invoke --region eu-west-1 --function-name SiteControl-ha-fence --cli-binary-format',
    );
    const local = told({ ...facts(null), fenceFunction: null });
    expect(local).toBe('see that ha-fence is scheduled with {"step":"self-test"} and what its log says');
  });

  test('a host that no policy stops needs none', () => {
    expect(verdict(facts(null, BY_LEASE))).toEqual(['ok']);
  });
});

test('a machine that runs and was never heard of has no way out, or no agent', () => {
  const [found] = egressCheck(facts(fenceTest('h1')));
  expect(found).toMatchObject({ verdict: 'fail', id: 'egress', subject: 'h1' });
  expect(found?.change).toContain('com.amazonaws.eu-west-1.dynamodb');
  const off = facts(fenceTest('h1', seen({ state: 'stopped' })));
  expect(egressCheck(off).map(({ verdict }) => verdict)).toEqual(['ok']);
});

test('SSM that does not answer is told, and is no finding', () => {
  expect(guardPathCheck(facts(fenceTest('h1', { reach: 'lost' })))).toEqual([
    expect.objectContaining({ verdict: 'ok', says: expect.stringContaining('h1 (lost)') }),
  ]);
});
