import { describe, expect, test } from '@jest/globals';
import { validateDefinition } from '../../core/config/definition.ts';
import type { Definition } from '../../core/config/model.ts';
import { problemText } from '../../core/config/problem.ts';
import { checkDeployment } from '../../lib/read-settings.ts';
import { settingsOf } from './synthesised.ts';

interface Written {
  readonly cluster?: string;
  readonly timing?: object;
  readonly hosts?: number;
  readonly actions?: object;
  /** First part of the names of its machines. Default: the cluster's. */
  readonly machines?: string;
}

function definition({
  cluster = 'shop',
  timing = {},
  hosts = 2,
  actions = {},
  machines = cluster,
}: Written): Definition {
  const names = Array.from({ length: hosts }, (_, i) => ({
    name: `h${String(i + 1)}`,
    certificateName: `${machines}-h${String(i + 1)}`,
  }));
  const groups = [
    {
      name: 'web',
      redundancy: { model: 'n-plus-m', active: 1, standby: 0 },
      services: [{ name: 'web', agent: 'systemd:web', actions }],
    },
  ];
  const read = validateDefinition({ apiVersion: 'holdfast/v1', cluster, timing, hosts: names, groups });
  if (read.ok) return read.definition;
  throw new Error(read.problems.map(problemText).join('; '));
}

function problems(settings: unknown, ...written: Written[]): string[] {
  const named = written.map((each, i) => ({ at: ['definitions', i], definition: definition(each) }));
  return checkDeployment(settingsOf(settings), named).map(problemText);
}

describe('definitions that fit', () => {
  test.each(['fast', 'standard', 'conservative', 'demo'])('profile %s in a deployment by default', (profile) => {
    expect(problems({}, { timing: { profile } })).toEqual([]);
  });

  test('a sweep a minute, for a cluster that says so', () => {
    const settings = { findBehind: { every: 'minute' } };
    expect(problems(settings, { timing: { sweepPeriod: '60s' } })).toEqual([]);
  });
});

describe('sweeps (V10)', () => {
  test('a period that a loop cannot keep inside the time-out of its Lambda', () => {
    expect(problems({}, { timing: { sweepPeriod: '10s' } })).toEqual([]);
    expect(problems({}, { timing: { sweepPeriod: '11s' } })).toEqual([
      'definitions[0]: got cluster shop, timing.sweepPeriod 11s; must be at most 10s while findBehind.every is loop:' +
        ' find-behind sweeps for 105s and its Lambda ends at 2m; or set findBehind.every to minute [V10]',
    ]);
  });

  test('a bound on recovery that counts with more than one sweep a minute', () => {
    const settings = { findBehind: { every: 'minute' } };
    expect(problems(settings, { timing: { profile: 'standard' } })).toEqual([
      'definitions[0]: got cluster shop, timing.sweepPeriod 3s; must be at least 60s while findBehind.every is minute:' +
        ' sweeps come once a minute whatever it says, and the recovery bound that is shown and holdfast doctor count' +
        ' with it; or set findBehind.every to loop [V10]',
    ]);
    expect(problems(settings, { timing: { sweepPeriod: '59s' } })).toHaveLength(1);
  });
});

describe('waits of the workflow (V7)', () => {
  test('a lease that its rounds cannot wait out', () => {
    // 58 rounds of 20 s are 1,160 s; wallGap is 1 s.
    expect(problems({}, { timing: { takerWait: '1159s' } })).toEqual([]);
    expect(problems({}, { timing: { takerWait: '1160s' } })).toEqual([
      'definitions[0]: got cluster shop, timing.takerWait 1160s and wallGap 1s; must be at most 1160s together:' +
        ' the workflow waits for evidence in 60 calls of 20s, then the run is held [V7]',
    ]);
  });

  test('services whose start outlasts the workflow', () => {
    // 3 hosts, each 5 h to start and 15 s to stop: 54,045 s fit into 57,140 s; 6 h do not.
    const actions = (start: string) => ({
      start: { timeout: start, attempts: 1 },
      stop: { timeout: '15s', attempts: 1 },
    });
    expect(problems({}, { actions: actions('5h') })).toEqual([]);
    expect(problems({}, { actions: actions('6h') })).toEqual([
      'definitions[0]: got cluster shop, group web may take 64845s to start on 3 hosts; must be at most 57140s:' +
        " lower the time-outs or attempts of its services' start and stop, or the workflow ends before the group has started [V7]",
    ]);
  });
});

describe('renewals and the units of the table (V6)', () => {
  const provisioned = (min: number) => ({ tables: { heartbeats: { billing: 'provisioned', write: { min } } } });

  test('every host renews once an interval, and a throttled renewal is a lost one', () => {
    // 100 hosts each second and 60 each third second: 120 a second, at 70 % of the units.
    const clusters = [
      { cluster: 'a', hosts: 100, timing: { profile: 'fast' } },
      { cluster: 'b', hosts: 60 },
    ];
    expect(problems(provisioned(172), ...clusters)).toEqual([]);
    expect(problems(provisioned(171), ...clusters)).toEqual([
      'tables.heartbeats.write.min: got 171; must be at least 172: hosts of the definitions renew 120 times a second,' +
        ' and utilisation is 70 %; a lease whose renewals are throttled ends [V6]',
    ]);
  });

  test('on demand there is nothing to count', () => {
    expect(problems({}, { hosts: 500, timing: { profile: 'fast' } })).toEqual([]);
  });
});

test('a cluster is named once', () => {
  expect(problems({}, { cluster: 'a' }, { cluster: 'b' }, { cluster: 'a', machines: 'c' })).toEqual([
    'definitions[2]: got cluster a a second time; name every definition once',
  ]);
});

test('a machine is a host of one cluster', () => {
  expect(problems({}, { cluster: 'a', hosts: 1 }, { cluster: 'b', hosts: 1, machines: 'a' })).toEqual([
    'definitions[1]: got cluster b, host h1 is a-h1; it is host h1 of cluster a already:' +
      ' a machine is a host of one cluster; name another, or remove one of the two [S1]',
  ]);
});
