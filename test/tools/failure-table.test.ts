import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { failureTable } from '../../tools/failure-table.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/ARCHITECTURE.md'), 'utf8');

/** Prettier pads the cells of a table; the words are what is compared. */
const rowsOf = (table: string) =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s-]+$/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('failure codes', () => {
  test('the page holds the table that the code gives, row by row', () => {
    const section = page.split(/^## /m).find((part) => part.startsWith('Failure codes')) ?? '';
    expect(rowsOf(section)).toEqual(rowsOf(failureTable()));
  });

  test('one row reads as written by hand', () => {
    expect(failureTable().split('\n')).toContain(
      '| `lease_lost` | never | 409 | 20 | the session no longer holds its lease |',
    );
  });
});
