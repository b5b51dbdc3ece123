/** docs/operating/cli.md: every verb is there, and each example shows what the command really prints. */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FAILURES } from '../../core/failures/failures.ts';
import { programOf } from '../../cli/program.ts';
import { NOW_MS, showcase } from './showcase.ts';
import { holdfast, type Api } from './stage.ts';

const PAGE = 'docs/operating/cli.md';
const BLOCK = /```console\n\$ holdfast ([^\n]*)\n([\s\S]*?)```\n/g;

const page = await readFile(PAGE, 'utf8');
const examples = [...page.matchAll(BLOCK)].map(([whole, line = '', output = '']) => ({ whole, line, output }));
const verbs = programOf({ out: () => undefined, err: () => undefined }, async () => undefined).commands;

let api: Api;
beforeAll(async () => {
  api = await showcase();
});

/** Words of a shell line, as far as the page uses it: blanks and double quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

async function printed(line: string): Promise<string> {
  const shown = await holdfast([...words(line), '--api', api.url], { nowMs: NOW_MS });
  return shown.out + shown.err;
}

test.each(verbs.map((verb) => verb.name()))('%s has a section with an example', (verb) => {
  expect(page).toMatch(new RegExp(`^### .*\`${verb}\``, 'm'));
  expect(examples.some(({ line }) => words(line)[0] === verb)).toBe(true);
});

test.each(verbs.flatMap((verb) => verb.options.map((option) => [verb.name(), option.long ?? '']).filter(([, o]) => o)))(
  '%s %s is named in its section',
  (verb, option) => {
    const sections = page.split(/^### /m).filter((section) => section.split('\n')[0]?.includes(`\`${verb}\``) === true);
    expect(sections.join('\n')).toContain(option);
  },
);

describe('examples', () => {
  test.each(examples.map(({ line, output }) => [line, output]))('holdfast %s', async (line, output) => {
    const now = await printed(line);
    // HOLDFAST_DOCS=write writes the page anew; read it before it is committed.
    if (process.env.HOLDFAST_DOCS !== 'write') expect(now).toBe(output);
  });
});

afterAll(async () => {
  if (process.env.HOLDFAST_DOCS === 'write') await rewrite();
  await api.close();
});

async function rewrite(): Promise<void> {
  let text = page;
  for (const { whole, line } of examples) {
    const fresh = '```console\n$ holdfast ' + line + '\n' + (await printed(line)) + '```\n';
    text = text.replace(whole, () => fresh);
  }
  await writeFile(PAGE, text);
}

test('every exit status is listed', () => {
  const codes = Object.entries(FAILURES).map(([code, { exit }]) => `| ${exit} | \`${code}\` |`);
  const flat = page.replaceAll(/ {2,}/g, ' ');
  expect(codes.filter((code) => !flat.includes(code))).toEqual([]);
});
