/** A bounded number of pieces of work at once, in lanes, none stopped by another. */
import { expect, test } from '@jest/globals';
import { AT_ONCE, atOnce, inLanes } from '../../lambdas/shared/at-once.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('no more than the bound at once, and all of them in the end', async () => {
  let [running, most, done] = [0, 0, 0];
  await atOnce(
    Array.from({ length: 50 }, (_, n) => n),
    async () => {
      running += 1;
      most = Math.max(most, running);
      await turn();
      running -= 1;
      done += 1;
    },
  );
  expect([most, done]).toEqual([AT_ONCE, 50]);
});

test('what fails stops nothing, and the first in order is thrown whichever failed first', async () => {
  const done: number[] = [];
  const work = atOnce([0, 1, 2, 3, 4], async (n) => {
    if (n === 1) await turn();
    if (n === 1 || n === 3) throw new Error(`piece ${String(n)}`);
    await turn();
    done.push(n);
  });
  await expect(work).rejects.toThrow('piece 1');
  expect(done.toSorted()).toEqual([0, 2, 4]);
});

test('one lane is done in its order, while others go on', async () => {
  const said: string[] = [];
  await inLanes(
    ['a1', 'b1', 'a2', 'b2', 'a3'],
    (item) => item.slice(0, 1),
    async (item) => {
      said.push(`${item} begins`);
      await turn();
      if (item === 'a1') await turn();
      said.push(`${item} ends`);
    },
  );
  expect(said.slice(0, 2)).toEqual(['a1 begins', 'b1 begins']);
  const lane = (name: string): string[] => said.filter((text) => text.startsWith(name));
  expect(lane('a')).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'a3 begins', 'a3 ends']);
  expect(lane('b')).toEqual(['b1 begins', 'b1 ends', 'b2 begins', 'b2 ends']);
  expect(said.indexOf('b2 ends')).toBeLessThan(said.indexOf('a2 ends'));
});
