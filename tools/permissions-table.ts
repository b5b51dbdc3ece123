/**
 * The tables of docs/operating/permissions.md, made of the synthesised templates and of the reasons in lib/permissions/allowed.ts.
 *
 *     node tools/permissions-table.ts           writes them into the page
 *     node tools/permissions-table.ts --check   fails if the page says something else
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TRUST_ANCHOR } from '../lib/permissions/allowed.ts';
import { renderTables } from './permissions/render.ts';
import { synthesised } from './permissions/synth.ts';

export const PAGE = fileURLToPath(new URL('../docs/operating/permissions.md', import.meta.url));
const BEGIN = '<!-- tables: made by tools/permissions-table.ts -->';
const END = '<!-- end of tables -->';

/** The page with its tables as they should be. */
export async function currentPage(page: string): Promise<string> {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${PAGE} must hold the lines ${BEGIN} and ${END}`);
  const templates = await synthesised({
    pages: { emails: ['pager@example.com'] },
    offCloud: { trustAnchorArn: TRUST_ANCHOR },
  });
  return `${page.slice(0, from + BEGIN.length)}\n\n${renderTables(templates)}\n\n${page.slice(to)}`;
}

async function main(): Promise<void> {
  const { check } = parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
  const page = await readFile(PAGE, 'utf8');
  const current = await currentPage(page);
  if (page === current) return;
  if (check) {
    process.stderr.write('docs/operating/permissions.md is not current: run `node tools/permissions-table.ts`\n');
    process.exitCode = 1;
    return;
  }
  await writeFile(PAGE, current);
}

if (import.meta.main) await main();
