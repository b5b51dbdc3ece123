/** What moves while one looks: a failover, an API that goes away, a token that is asked for, a very large cluster. */
import { afterEach, beforeAll, afterAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { violationsOf } from './axe.ts';
import { launchBrowser, openPage, type PageOptions } from './browser.ts';
import { largeCluster } from './large.ts';
import { liveWorld } from './live-world.ts';
import { type Behind, type ConsoleServer, serveConsole } from './server.ts';

jest.setTimeout(120_000);

let browser: Browser;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await browser?.close();
});

async function opened(behind: Behind, options: PageOptions = {}) {
  const server: ConsoleServer = await serveConsole(behind);
  closing.push(() => server.close());
  const page = await openPage(browser, options);
  closing.push(() => page.context().close());
  await page.goto(server.url);
  return { server, page };
}

async function openedWorld() {
  const live = await liveWorld();
  closing.push(() => live.stop());
  return { live, ...(await opened(live.behind)) };
}

describe('a host is lost while somebody looks', () => {
  test('the run appears by itself, nothing is called running that is not known to run, and the story ends with its evidence', async () => {
    const { live, page } = await openedWorld();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    const victim = live.world.owner('ledger/0') ?? '';
    await page.getByRole('button', { name: `Pull the plug of ${victim}` }).click();

    await page.getByRole('heading', { level: 3, name: `Failover of ${victim}` }).waitFor();
    await page.getByRole('heading', { level: 1, name: /not known to run; recovery is at work/ }).waitFor();
    await page.getByText('Its power is off.').waitFor();
    await page.getByRole('link', { name: `Failover of ${victim}` }).click();

    await page.getByText(/^Recovered .* after its last heartbeat was seen; the bound was/).waitFor();
    await page.getByText('Evidence lease-over').first().waitFor();
    const titles = await page.locator('.story h3').allTextContents();
    expect(titles[0]).toBe('The run begins');
    expect(titles.at(-1)).toBe('The run ends');
    expect(titles.indexOf('Its lease is revoked')).toBeLessThan(titles.indexOf('ledger/0 gets a new owner'));
    expect(titles.indexOf('ledger/0 gets a new owner')).toBeLessThan(titles.indexOf('ledger/0 starts'));

    await page.locator('.story details summary').first().click();
    expect(await violationsOf(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await violationsOf(page)).toEqual([]);

    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { level: 1, name: `Everything runs. ${victim} is not up.` }).waitFor();
    const host = page.getByRole('article', { name: `Host ${victim}` });
    await host.getByText('was active').first().waitFor();
    await host.getByRole('button', { name: /^Power on/ }).click();
    await host.getByText('Up', { exact: true }).waitFor();
    expect(page.troubles).toEqual([]);
  });
});

describe('the API goes away', () => {
  test('the page says since when, keeps what it knew, and heals by itself', async () => {
    const { server, page } = await openedWorld();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    server.takeAway();
    await page.getByText(/^API away for .*; showing the state of \d\d:\d\d:\d\d\.$/).waitFor();
    expect(await page.getByRole('article', { name: 'Host h1' }).isVisible()).toBe(true);
    expect(await violationsOf(page)).toEqual([]);
    await page.getByRole('heading', { level: 1, name: 'When last heard: everything runs.' }).waitFor();
    // What cannot be asked now says so in words, and can be asked again.
    await page.getByRole('link', { name: 'Doctor' }).click();
    await page.locator('main').getByText('the control plane is away').waitFor();
    await page.getByRole('button', { name: 'Try again' }).waitFor();

    server.bringBack();
    await page.getByText('Live', { exact: true }).waitFor();
    await page
      .getByText(/^API away/)
      .first()
      .waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Try again' }).click();
    await page
      .getByText(/failover/)
      .nth(1)
      .waitFor();
    expect(page.troubles).toEqual([]);
  });

  test('ages go on growing meanwhile: old news is not shown as fresh', async () => {
    const { server, page } = await openedWorld();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    server.takeAway();
    await page.getByText(/^API away for/).waitFor();
    const beat = page.getByRole('article', { name: 'Host h1' }).locator('.beat');
    await beat.and(page.locator('.late')).waitFor();
    expect(await beat.textContent()).toMatch(/beat [3-9]\.\d s ago, late/);
  });

  test('before it ever answered: it says what it waits for, and begins when it can', async () => {
    const live = await liveWorld();
    closing.push(() => live.stop());
    const server = await serveConsole(live.behind);
    closing.push(() => server.close());
    server.takeAway();
    const page = await openPage(browser);
    closing.push(() => page.context().close());
    await page.goto(server.url);
    await page.getByText(/^API away for \d/).waitFor();
    server.bringBack();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
  });
});

describe('without a front door', () => {
  test('a token is asked for; a wrong one is refused in words, the right one opens the page', async () => {
    const { server, page } = await opened(largeCluster());
    await page.getByLabel('Token').waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The API does not accept this token.').waitFor();
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 2, name: 'Hosts' }).waitFor();
    expect(await page.getByRole('button', { name: /Pull the plug/ }).count()).toBe(0);
    expect(new URL(page.url()).search).toBe('');
    expect(page.troubles).toEqual([]);
  });
});

describe('200 hosts with 200 groups', () => {
  async function large(options: PageOptions = {}) {
    const { server, page } = await opened(largeCluster(), options);
    await page.getByLabel('Token').fill(server.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { level: 2, name: 'Hosts' }).waitFor();
    return page;
  }

  test('are a list of fifty each, the trouble first; the rest is found by words', async () => {
    const page = await large();
    const rows = page.locator('section[aria-labelledby=hosts] tbody tr');
    expect(await rows.count()).toBe(50);
    expect(await rows.first().textContent()).toContain('host-150');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('1 of 200 slots is not known to run.');
    await page.getByLabel('Find hosts by name, zone, label or slot').fill('group-180');
    await page.getByRole('link', { name: 'host-180', exact: true }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel('Find hosts by name, zone, label or slot').fill('');
    await page.getByRole('button', { name: /more of 150 hosts/ }).click();
    expect(await rows.count()).toBe(100);
    await page.getByLabel('Which hosts').selectOption('withheld');
    await page.getByRole('link', { name: 'host-020', exact: true }).waitFor();
    expect(await rows.count()).toBe(1);
    await page.getByLabel('Not healthy only').check();
    expect(await page.locator('.group-list > li').count()).toBe(1);
  });

  test('fit a phone, long names included', async () => {
    const page = await large({ width: 375, height: 720 });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  });

  test('a beat redraws ages only: the rows stay the elements they were', async () => {
    const page = await large();
    await page.evaluate(`(() => {
      globalThis.changed = 0;
      new MutationObserver((changes) => { for (const { addedNodes } of changes) globalThis.changed += addedNodes.length; })
        .observe(document.querySelector('main'), { childList: true, subtree: true });
    })()`);
    const beat = page.locator('section[aria-labelledby=hosts] .beat').nth(3);
    const before = (await beat.textContent()) ?? '';
    await page.waitForFunction((was) => was !== null, before);
    await beat.filter({ hasNotText: before }).waitFor();
    expect(await page.evaluate('globalThis.changed')).toBe(0);
  });
});
