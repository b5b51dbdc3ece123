/** The console as it is on AWS: served by the API's own Lambda behind API Gateway, reached through `holdfast console`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { readConsoleFiles } from '../../adapters/node/console-files.ts';
import { api } from '../../lambdas/api/handler.ts';
import { buildConsole } from '../../tools/build-console.ts';
import { startGateway } from '../gateway/gateway.ts';
import { openConsole, SIGNED, signIn } from '../gateway/operator.ts';
import { ACCOUNT } from '../lambdas/world.ts';
import { launchBrowser, openPage } from './browser.ts';
import { liveWorld } from './live-world.ts';

jest.setTimeout(120_000);

let browser: Browser;
let folder: string;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), 'holdfast-aws-console-'));
  await buildConsole(folder);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

async function opened() {
  const live = await liveWorld();
  closing.push(() => live.stop());
  const options = { account: ACCOUNT, refusesUnnamed: true, console: () => readConsoleFiles(folder) };
  const gateway = await startGateway({ api: api(live.world.ports, options) });
  closing.push(() => gateway.close());
  signIn();
  const proxy = await openConsole(['--api', gateway.url, ...SIGNED]);
  closing.push(() => proxy.stop());
  const page = await openPage(browser);
  closing.push(() => page.context().close());
  await page.goto(proxy.url);
  return { live, gateway, proxy, page };
}

describe('the console through API Gateway', () => {
  test('follows a failover by answers that end, each beginning after the last event that was seen', async () => {
    const { live, gateway, page, proxy } = await opened();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    // The token is out of the address, and with it of whatever the operator copies from there.
    expect(page.url()).not.toContain('token');

    const victim = live.world.owner('ledger/0') ?? '';
    await live.change(() => live.world.host(victim).die());
    await page.getByRole('heading', { level: 3, name: `Failover of ${victim}` }).waitFor();
    await page.getByRole('link', { name: `Failover of ${victim}` }).click();
    await page.getByText(/^Recovered .* after its last heartbeat was seen/).waitFor();
    await page.getByText('Evidence lease-over').first().waitFor();
    await page.getByRole('link', { name: 'Events' }).click();
    await page
      .getByText(/ledger\/0/)
      .first()
      .waitFor();

    const streams = gateway.letIn.flatMap((asked, at) => (asked === 'GET /api/v1/stream' ? [gateway.headers[at]] : []));
    expect(streams.length).toBeGreaterThan(2);
    expect(streams.at(-1)).toHaveProperty('last-event-id');
    // The browser's token stays on this machine, and its cookies and names with it.
    expect(gateway.headers.map(({ authorization = '' }) => authorization.slice(0, 16))).toEqual(
      gateway.headers.map(() => 'AWS4-HMAC-SHA256'),
    );
    expect(page.troubles).toEqual([]);
    await page.reload();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await proxy.stop()).toBe(0);
  });

  test('an operator acts by it, under the name that the authoriser gave', async () => {
    const { live, page } = await opened();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    await page.goto(`${page.url()}#/hosts/h3`);
    await page.getByRole('button', { name: 'Disable…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('a flapping link');
    await dialog.getByRole('button', { name: 'Disable h3' }).click();
    await dialog.waitFor({ state: 'detached' });
    const events = await live.world.http('GET', '/api/v1/events');
    expect(events.body).toContain('arn:aws:sts::111122223333:assumed-role/Operators/alice');
    expect(page.troubles).toEqual([]);
  });

  test('credentials that end are told as such, and the page goes on by itself when there are new ones', async () => {
    const { gateway, page, proxy } = await opened();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    gateway.setTaken(false);
    await page.getByText(/AWS does not take these credentials.*sign in again/).waitFor();
    expect(await page.getByRole('heading', { name: 'Sign in' }).count()).toBe(0);
    gateway.setTaken(true);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(proxy.errors.filter((text) => text.includes('AWS does not take these credentials'))).toHaveLength(1);
  });

  test('without the token of this run there is no view of the cluster', async () => {
    const { page, proxy } = await opened();
    await page.getByRole('heading', { level: 1, name: 'Everything runs.' }).waitFor();
    const stranger = await openPage(browser);
    closing.push(() => stranger.context().close());
    await stranger.goto(proxy.url.replace(/#.*/, ''));
    await stranger.getByRole('heading', { name: 'Sign in' }).waitFor();
    await stranger.getByLabel('Token').fill('guessed-guessed-guessed-guessed');
    await stranger.getByRole('button', { name: 'Sign in' }).click();
    await stranger.getByText('The API does not accept this token.').waitFor();
  });
});
