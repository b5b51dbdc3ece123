import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { askLockHolder, takeInstanceLock } from '../../../adapters/node/instance-lock.ts';

const MODULE = fileURLToPath(new URL('../../../adapters/node/instance-lock.ts', import.meta.url));

async function take(name: string, about?: () => string) {
  const lock = await takeInstanceLock(name, about);
  if (lock === 'held') throw new Error('held');
  return lock;
}

describe('instance lock', () => {
  test('one holder per name, free again after release', async () => {
    const name = randomUUID();
    const lock = await take(name);
    expect(await takeInstanceLock(name)).toBe('held');
    const other = await take(`${name}-other`);
    await lock.release();
    await (await take(name)).release();
    await other.release();
  });

  test('dies with a holder that is killed', async () => {
    const name = randomUUID();
    const script = `import { takeInstanceLock } from ${JSON.stringify(MODULE)};
      console.log(await takeInstanceLock(${JSON.stringify(name)}) === 'held' ? 'held' : 'taken'); setInterval(() => 0, 9999);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(String((await once(child.stdout, 'data'))[0])).toBe('taken\n');
    expect(await takeInstanceLock(name)).toBe('held');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await take(name)).release();
  });

  test('the holder answers for itself', async () => {
    const name = randomUUID();
    expect(await askLockHolder(name)).toBeUndefined();
    let says = 'standing';
    const lock = await take(name, () => says);
    expect(await askLockHolder(name)).toBe('standing');
    says = 'stopping';
    expect(await askLockHolder(name)).toBe('stopping');
    await lock.release();
  });
});
