import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  BACKGROUND_FAULTS,
  type BackgroundFault,
  SCHEDULED_FAULTS,
  type ScheduledFaultKind,
} from '../../../sim/contract/faults.ts';
import { MUTATIONS } from '../../../sim/contract/mutations.ts';
import { EVIDENCE_KINDS, type Scenario } from '../../../sim/run/scenario.ts';
import { isMutation, parseScenario } from '../../../sim/run/scenario-parse.ts';
import { printScenario } from '../../../sim/run/scenario-print.ts';
import { fault, hostScene, sceneWith, YAML } from './scenes.ts';

const TEXT = `# A host loses its power.
# Its services move.
seed 3
cluster lab
profile demo
faults for 20s, quiet for 1m30
`;

const GOOD = `# A host loses its power.
seed 3
cluster lab
profile demo
faults for 20s, quiet for 10.25s
noise loss=0.01 delay=0.5
mutation forget-m

hosts:
  h1 zone=a instance=i-0000000a guard=init rate=1.0005 wall=-1.5s
  h2 off ends=crashed

definition:
  cluster: lab

  groups: []

at 12.5s for 3s: cut h2
at 1250.25ms: wall_step h1 by -3600000
at 2s: store_down
at 3s: apply
  cluster: lab
at 4s: move db/0 to any
at 5s: host h1 maintenance
at 6s: switch off
at 7s: look-after h1 h2

expect: no violations
expect: owner of db/0 is h2 by lease-over
expect: page could not be placed
`;

describe('a scenario', () => {
  test('says in a text what is run and what must come of it', () => {
    expect(parseScenario(GOOD)).toEqual({
      comment: ['A host loses its power.'],
      mutation: 'forget-m',
      expectations: [
        { expect: 'no violations' },
        { expect: 'owner', where: 'db/0', host: 'h2', by: 'lease-over' },
        { expect: 'page', text: 'could not be placed' },
      ],
      scene: {
        seed: 3,
        cluster: 'lab',
        profile: 'demo',
        faultsForMs: 20_000,
        quietForMs: 10_250,
        noise: { loss: 0.01, delay: 0.5 },
        yaml: 'cluster: lab\n\ngroups: []\n',
        hosts: [
          {
            name: 'h1',
            zone: 'a',
            instanceId: 'i-0000000a',
            guardLevel: 'init',
            clockRate: 1.0005,
            wallOffsetMs: -1500,
            isOnAtFirst: true,
          },
          {
            name: 'h2',
            zone: 'a',
            instanceId: null,
            guardLevel: 'watchdog',
            clockRate: 1,
            wallOffsetMs: 0,
            isOnAtFirst: false,
            ends: 'crashed',
          },
        ],
        faults: [
          fault(12_500, 'cut', 'h2', 3000),
          fault(1250.25, 'wall_step', 'h1', 0, -3_600_000),
          fault(2000, 'store_down', ''),
        ],
        acts: [
          { at: 3000, do: 'apply', yaml: 'cluster: lab\n' },
          { at: 4000, do: 'move', where: 'db/0', to: null },
          { at: 5000, do: 'host', host: 'h1', verb: 'maintenance' },
          { at: 6000, do: 'switch', isOn: false },
          { at: 7000, do: 'look-after', hosts: ['h1', 'h2'] },
        ],
      },
    });
  });

  test.each([
    [TEXT, 'line 6: "1m30" is no length of time; write it as 12.5s or 250ms'],
    ['seed x\n', 'line 1: the seed must be a number, got "x"'],
    ['  h1\n', 'line 1: is indented under nothing'],
    ['seed 1\n  h1\n', 'line 1: nothing can be indented under "seed 1"'],
    ['profile quick\n', 'line 1: profile must be fast, standard, conservative or demo, got "quick"'],
    ['seed 1\n\nnoise hail=0.1\n', 'line 3: "hail=0.1" is not known here; there are loss, delay'],
    ['noise loss=2\n', 'line 1: loss is a part of all calls, from 0 to 1, got 2'],
    ['mutation none\n', 'line 1: there is no mutation "none"; there are feed-at-1w'],
    ['at 3s: explode h1\n', 'line 1: "explode" is no fault and no act of an operator; faults are cut, '],
    ['at 3s: cut h1 h2\n', 'line 1: a fault has one subject, got "h1 h2"'],
    ['at 3: cut h1\n', 'line 1: "3" is no length of time'],
    ['at 3s cut h1\n', 'line 1: write it as "at 12.5s: crash h1"'],
    ['at 3s for 2s: switch on\n', 'line 1: what an operator does has no length'],
    ['at 3s: apply\nseed 1\n', 'line 1: the definition to apply goes below, indented'],
    ['expect: peace\n', 'line 1: "peace" cannot be expected; there are: no violations;'],
    ['expect: owner of db/0 is h1 by luck\n', 'line 1: evidence is one of released, closed,'],
    ['hosts:\n  h1 color=red\n', 'line 1: "color=red" is not known here'],
    ['boom\n', 'line 1: "boom" begins no line; lines are seed,'],
    ['seed 1\n', 'line 2: the file ends without a profile; add a line such as "profile fast"'],
  ])('refuses %j by the number of the line', (text, message) => {
    expect(() => parseScenario(text)).toThrow(message);
  });

  test('that is printed reads back as it was', () => {
    fc.assert(
      fc.property(scenarios(), (scenario) => {
        expect(parseScenario(printScenario(scenario))).toEqual(scenario);
      }),
      { numRuns: 2000 },
    );
  });
});

function scenarios(): fc.Arbitrary<Scenario> {
  const ms = fc.oneof(fc.nat(10_000_000), fc.double({ min: 0, max: 1e6, noNaN: true, noDefaultInfinity: true }));
  const name = fc.stringMatching(/^h[0-9a-z-]{0,6}$/);
  const where = fc.tuple(name, fc.nat(9)).map(([group, slot]) => `${group}/${slot}`);
  const kinds = Object.keys(SCHEDULED_FAULTS).filter((kind): kind is ScheduledFaultKind => kind !== '');
  const noises = Object.keys(BACKGROUND_FAULTS).filter((kind): kind is BackgroundFault => kind !== '');
  const evidence = fc.constantFrom(...EVIDENCE_KINDS);
  const part = fc.double({ min: 0, max: 1, noNaN: true }).map((value) => value + 0);
  const yaml = fc.constantFrom(YAML, 'a: 1\n\nb:\n  - c\n', 'x: "# no comment"\n');
  return fc.record({
    comment: fc.array(fc.stringMatching(/^[a-z][a-z ]{0,20}[a-z]$/), { maxLength: 3 }),
    mutation: fc.option(fc.constantFrom(...Object.keys(MUTATIONS).filter(isMutation))),
    expectations: fc.array(
      fc.oneof(
        fc.constant({ expect: 'no violations' } as const),
        fc.record({ expect: fc.constant('violation' as const), invariant: fc.constantFrom('I1', 'I11', 'bug') }),
        fc.record({ expect: fc.constant('owner' as const), where, host: name, by: fc.option(evidence) }),
        fc.record({ expect: fc.constant('failover' as const), where, by: evidence }),
        fc.record({ expect: fc.constant('no failover' as const), where }),
        fc.record({ expect: fc.constant('page' as const), text: fc.constant('could not: be "placed"') }),
        fc.record({ expect: fc.constant('state' as const), state: fc.constant('Duplicate: close') }),
      ),
      { maxLength: 4 },
    ),
    scene: fc.record({
      seed: fc.nat(),
      profile: fc.constantFrom('fast', 'standard', 'conservative', 'demo'),
      cluster: name,
      yaml,
      hosts: fc.array(
        fc.record({
          name,
          instanceId: fc.option(fc.constant('i-0123456789abcdef0')),
          zone: name,
          guardLevel: fc.constantFrom('watchdog', 'init', 'none'),
          clockRate: fc.double({ min: 0.999, max: 1.001, noNaN: true }),
          wallOffsetMs: fc.oneof(
            ms,
            fc.integer({ min: -3_600_000, max: 0 }).map((value) => value + 0),
          ),
          isOnAtFirst: fc.boolean(),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      faultsForMs: ms,
      quietForMs: ms,
      noise: fc.dictionary(fc.constantFrom(...noises), part, { noNullPrototype: true }),
      faults: fc.array(
        fc
          .tuple(ms, fc.constantFrom(...kinds), fc.constantFrom('', 'h1', 'a'), ms, fc.option(fc.integer()))
          .map(([at, kind, subject, forMs, amount]) =>
            fault(at, kind, subject, forMs, amount === null ? undefined : amount + 0),
          ),
        { maxLength: 6 },
      ),
      acts: fc.array(
        fc.oneof(
          fc.record({ at: ms, do: fc.constant('apply' as const), yaml }),
          fc.record({ at: ms, do: fc.constant('move' as const), where, to: fc.option(name) }),
          fc.record({ at: ms, do: fc.constant('host' as const), host: name, verb: fc.constant('maintenance') }),
          fc.record({ at: ms, do: fc.constant('switch' as const), isOn: fc.boolean() }),
        ),
        { maxLength: 3 },
      ),
    }),
  });
}

test('a scene of a test prints without empty parts', () => {
  const scene = sceneWith({ yaml: 'cluster: lab\n', hosts: [hostScene('h1')] });
  expect(printScenario({ comment: [], scene, mutation: null, expectations: [] })).toBe(`seed 7
cluster lab
profile fast
faults for 300s, quiet for 60s

hosts:
  h1 zone=a guard=watchdog

definition:
  cluster: lab
`);
});
