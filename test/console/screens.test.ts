/** The console in a real browser, on the real handlers: what an operator sees and does. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { violationsOf } from './axe.ts';
import { launchBrowser, openPage, type PageOptions } from './browser.ts';
import { type LiveWorld, liveWorld } from './live-world.ts';
import { type ConsoleServer, serveConsole } from './server.ts';

jest.setTimeout(120_000);

const SCREENS = [
  ['overview', ''],
  ['runs', '#/runs'],
  ['events', '#/events'],
  ['what if', '#/what-if?down=h1'],
  ['doctor', '#/doctor'],
  ['host', '#/hosts/h1'],
  ['group', '#/groups/ledger'],
  ['nowhere', '#/no-such-place'],
] as const;

let browser: Browser;
let live: LiveWorld;
let server: ConsoleServer;

beforeAll(async () => {
  live = await liveWorld();
  server = await serveConsole(live.behind);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await live?.stop();
});

async function visit(hash: string, options: PageOptions = {}): Promise<Awaited<ReturnType<typeof openPage>>> {
  const page = await openPage(browser, options);
  await page.goto(`${server.url}${hash}`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('main .waiting').waitFor({ state: 'detached' });
  return page;
}

const width = (page: Page): Promise<number> => page.evaluate<number>('document.documentElement.scrollWidth');

describe.each(SCREENS)('%s', (_name, hash) => {
  test.each(['light', 'dark'] as const)(
    '%s: nothing that a screen reader or weak eyes would stumble over',
    async (theme) => {
      const page = await visit(hash, { theme });
      expect(await violationsOf(page)).toEqual([]);
      expect(page.troubles).toEqual([]);
      expect(await page.locator('h1').count()).toBe(1);
      await page.context().close();
    },
  );

  test('fits a phone without scrolling sideways', async () => {
    const page = await visit(hash, { width: 375, height: 720 });
    expect(await width(page)).toBe(375);
    await page.context().close();
  });
});

describe('by keyboard', () => {
  test('the first stop skips to the content, and every stop shows where it is', async () => {
    const page = await visit('');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('MAIN');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.context().close();
  });

  test('a screen is entered at its heading', async () => {
    const page = await visit('');
    await page.getByRole('link', { name: 'Doctor' }).press('Enter');
    await page.waitForFunction(
      "document.activeElement.textContent === 'Doctor' && document.activeElement.tagName === 'H1'",
    );
    expect(await page.title()).toBe('Doctor · demo · Holdfast');
    await page.context().close();
  });

  test('a dialog keeps the focus, ends on Escape, and gives it back', async () => {
    const page = await visit('#/hosts/h2');
    const opener = page.getByRole('button', { name: 'Drain…' });
    await opener.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Drain h2' });
    await dialog.getByRole('button', { name: 'Drain h2' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    for (let stop = 0; stop < 12; stop += 1) {
      await page.keyboard.press('Tab');
      // Past its last stop the browser itself is next, never the page behind.
      expect(
        await page.evaluate(
          "document.activeElement === document.body || document.activeElement.closest('dialog') !== null",
        ),
      ).toBe(true);
    }
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Drain…');
    await page.context().close();
  });
});

describe('an operator', () => {
  test('cannot fence a host without typing its name', async () => {
    const page = await visit('#/hosts/h3');
    await page.getByRole('button', { name: 'Fence…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Fence h3' });
    const fence = dialog.getByRole('button', { name: 'Fence h3' });
    await fence.waitFor();
    const force = dialog.getByRole('checkbox');
    if ((await force.count()) > 0) await force.check();
    expect(await fence.isDisabled()).toBe(true);
    await dialog.getByLabel('Type h3 to confirm').fill('h2');
    expect(await fence.isDisabled()).toBe(true);
    await dialog.getByLabel('Type h3 to confirm').fill('h3');
    expect(await fence.isDisabled()).toBe(false);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.context().close();
  });

  test('sees the plan before a lock, has to say why, and finds the reason on the host', async () => {
    const page = await visit('#/hosts/h3');
    await page.getByRole('button', { name: 'Disable…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disable h3' });
    const disable = dialog.getByRole('button', { name: 'Disable h3' });
    await disable.waitFor();
    expect(await disable.isDisabled()).toBe(true);
    await dialog.getByLabel('Why, for the record').fill('a test looks on');
    const force = dialog.getByRole('checkbox');
    if ((await force.count()) > 0) await force.check();
    await disable.click();
    await page.getByText('Disabled: a test looks on').waitFor();
    await page.getByRole('button', { name: 'Enable…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Enable h3' }).click();
    await page.getByText('Disabled: a test looks on').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('learns what would happen if a host failed, and nothing is changed', async () => {
    const page = await visit('#/what-if');
    // Who runs what: standbys and lists may still follow what the test before this one changed.
    const standing = (): string =>
      JSON.stringify([
        live.world.groups.map(({ group, slots }) => [group, slots.map(({ owner, epoch }) => [owner, epoch])]),
        live.world.runs.map(({ run }) => run),
      ]);
    const before = standing();
    await page.getByRole('combobox', { name: 'Host' }).selectOption('h1');
    await page.getByRole('button', { name: 'Add' }).click();
    await page
      .getByText(/would (move|run nowhere)/)
      .first()
      .waitFor();
    expect(await page.getByRole('row').count()).toBeGreaterThan(1);
    expect(standing()).toBe(before);
    await page.context().close();
  });

  test('learns why a slot is where it is', async () => {
    const page = await visit('#/groups/ledger/0');
    const owner = live.world.owner('ledger/0') ?? '';
    const row = page.getByRole('row').filter({ hasText: 'Runs it' });
    await row.waitFor();
    expect(await row.textContent()).toContain(owner);
    await page.context().close();
  });

  test('finds events by words, and those of one host by a link', async () => {
    const page = await visit('#/hosts/h2');
    await page.getByRole('link', { name: 'All about h2' }).click();
    await page.getByRole('searchbox').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('h2');
    await page.getByRole('searchbox').fill('no such words');
    await page.getByText('No event fits these filters').waitFor();
    await page.context().close();
  });

  test('changes the theme, and it stays changed', async () => {
    const page = await visit('');
    await page.getByRole('button', { name: 'Use the dark theme' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Use the light theme' }).waitFor();
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
    await page.context().close();
  });
});
