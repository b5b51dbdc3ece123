import { describe, expect, test } from '@jest/globals';
import { batchStart } from '../../../adapters/aws/ec2-batch-start.ts';
import { HaError } from '../../../core/failures/failures.ts';

const ids = (n: number): readonly string[] => Array.from({ length: n }, (_, at) => `i-${String(at).padStart(17, '0')}`);
const refused = (says: string): HaError =>
  new HaError('power_refused', 'EC2 refused, start i-all-of-them', {
    cause: Object.assign(new Error(says), { name: 'Code' }),
  });

/** EC2 as told, with every call it got. */
function ec2(judge: (machines: readonly string[]) => HaError | undefined) {
  const calls: (readonly string[])[] = [];
  const start = async (machines: readonly string[]): Promise<void> => {
    calls.push(machines);
    const error = judge(machines);
    if (error !== undefined) throw error;
  };
  return { calls, start };
}

describe('starting many with few calls', () => {
  test('one call for up to a hundred', async () => {
    const { calls, start } = ec2(() => undefined);
    const answers = await batchStart(ids(250), start, 0);
    expect(calls.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect([...answers.values()].every(({ outcome }) => outcome === 'accepted')).toBe(true);
    expect(answers.size).toBe(250);
  });

  test('the same machine named twice is asked for once', async () => {
    const { calls, start } = ec2(() => undefined);
    await batchStart(['i-1', 'i-1', 'i-2'], start, 0);
    expect(calls).toEqual([['i-1', 'i-2']]);
  });

  test('those that the refusal names are left out, and the rest is asked for again together', async () => {
    const [first = '', second = '', third = ''] = ids(3);
    const { calls, start } = ec2((machines) =>
      machines.includes(second) ? refused(`The instance ID '${second}' does not exist`) : undefined,
    );
    const answers = await batchStart([first, second, third], start, 0);
    expect(calls).toEqual([
      [first, second, third],
      [first, third],
    ]);
    expect(answers.get(second)).toEqual({
      outcome: 'refused',
      says: `Code: The instance ID '${second}' does not exist`,
    });
    expect([answers.get(first)?.outcome, answers.get(third)?.outcome]).toEqual(['accepted', 'accepted']);
  });

  test('a refusal that names nobody: one by one, and one wrong machine holds up no other', async () => {
    const [first = '', second = '', third = ''] = ids(3);
    const { calls, start } = ec2((machines) => (machines.includes(second) ? refused('no capacity') : undefined));
    const answers = await batchStart([first, second, third], start, 0);
    expect(calls).toEqual([[first, second, third], [first], [second], [third]]);
    expect([first, second, third].map((id) => answers.get(id)?.outcome)).toEqual(['accepted', 'refused', 'accepted']);
  });

  test('throttled: nobody is asked for singly, all are later', async () => {
    const { calls, start } = ec2(() => new HaError('power_throttled', 'RequestLimitExceeded: slow down'));
    const answers = await batchStart(ids(5), start, 0);
    expect(calls).toHaveLength(1);
    expect([...answers.values()].map(({ outcome }) => outcome)).toEqual(Array(5).fill('later'));
  });

  test('calls are bounded: whoever has no turn is told so', async () => {
    const { calls, start } = ec2(({ length }) => (length > 1 ? refused('no capacity') : undefined));
    const answers = await batchStart(ids(300), start, 0);
    expect(calls).toHaveLength(3 + 20);
    const outcomes = [...answers.values()].map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(20);
    expect(outcomes.filter((outcome) => outcome === 'later')).toHaveLength(280);
  });
});
