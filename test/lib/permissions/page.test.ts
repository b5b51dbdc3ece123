import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { currentPage, PAGE } from '../../../tools/permissions-table.ts';
import { SYNTH_MS } from './templates.ts';

test(
  'the page of permissions is what `node tools/permissions-table.ts` makes of the templates',
  async () => {
    const page = await readFile(PAGE, 'utf8');
    expect(page).toContain('ec2:StopInstances');
    expect(page).toBe(await currentPage(page));
  },
  SYNTH_MS,
);
