import { describe, expect, test } from '@jest/globals';
import { SharedLook } from '../../lambdas/shared/shared-look.ts';

function counted() {
  const ends: (() => void)[] = [];
  const look = new SharedLook(async () => {
    const no = ends.length;
    await new Promise<void>((resolve, reject) => ends.push(no === 3 ? () => reject(new Error('away')) : resolve));
    return no;
  });
  const end = async (no: number): Promise<void> => {
    ends[no]?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { look, ends, end };
}

describe('a look that many share', () => {
  test('whoever asks during one gets the next, and all of them the same', async () => {
    const { look, ends, end } = counted();
    const first = look.ask();
    const others = [look.ask(), look.ask(), look.ask()];
    expect(ends).toHaveLength(1);
    await end(0);
    expect(await first).toBe(0);
    expect(ends).toHaveLength(2);
    const later = look.ask();
    await end(1);
    expect(await Promise.all(others)).toEqual([1, 1, 1]);
    await end(2);
    expect(await later).toBe(2);
    const failing = look.ask();
    const after = look.ask();
    await end(3).catch(() => undefined);
    await expect(failing).rejects.toThrow('away');
    await end(4);
    expect(await after).toBe(4);
  });
});
