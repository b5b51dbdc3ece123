/**
 * `npm run screenshots`: starts the real local system, breaks it through its own console, and writes docs/screenshots/.
 * What stands in the pictures happened; only fonts differ from machine to machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { invariant } from '../core/failures/invariant.ts';
import { readRuntimeFiles } from '../local/runtime-files.ts';
import { launchBrowser } from './chromium.ts';

const FOLDER = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
const BYTES_MAX = 200 * 1024;
const WAIT_MS = 60_000;
const DESKTOP = { width: 1200, height: 820 };
const PHONE = { width: 375, height: 780 };

interface System {
  readonly url: string;
  end(): Promise<void>;
}

/** Its end follows from ours: it ends with its standard input. */
async function startSystem(): Promise<System> {
  const state = await mkdtemp(join(tmpdir(), 'holdfast-screenshots-'));
  const entry = fileURLToPath(new URL('../local/main.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, '--state', state, '--port', '0', '--with-parent'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await lineOf(child, 'everything is active');
  return {
    url: readRuntimeFiles(state).api.url,
    end: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin.end();
      await ended;
      await rm(state, { recursive: true, force: true });
    },
  };
}

function lineOf(child: ChildProcess, words: string): Promise<void> {
  invariant(child.stdout !== null, 'the output of the system is read');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.includes(words)) resolve();
    });
    child.once('exit', (code) =>
      reject(new Error(`the local system ended (${String(code)}) before it said "${words}"`)),
    );
  });
}

interface Look {
  readonly size?: { readonly width: number; readonly height: number };
  readonly theme?: 'light' | 'dark';
}

async function visit(browser: Browser, url: string, { size = DESKTOP, theme = 'light' }: Look = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: size, colorScheme: theme, reducedMotion: 'reduce' });
  page.setDefaultTimeout(WAIT_MS);
  await page.goto(url);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('main .waiting').waitFor({ state: 'detached' });
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path });
  const { size } = await stat(path);
  process.stdout.write(`${name}.png  ${Math.ceil(size / 1024)} KB\n`);
  invariant(size <= BYTES_MAX, `${name}.png has at most ${BYTES_MAX} bytes`);
}

async function takeOne(browser: Browser, url: string, name: string, look?: Look): Promise<void> {
  const page = await visit(browser, url, look);
  await take(page, name);
  await page.close();
}

async function takeWhatStands(browser: Browser, url: string): Promise<void> {
  await takeOne(browser, url, 'overview-light');
  await takeOne(browser, url, 'overview-dark', { theme: 'dark' });
  await takeOne(browser, url, 'overview-phone', { size: PHONE });
  await takeOne(browser, `${url}#/groups/ledger/0`, 'why-here');
  const page = await visit(browser, `${url}#/what-if?down=h1`);
  await page.locator('table').waitFor();
  await take(page, 'what-if');
  await page.goto(`${url}#/hosts/h2`);
  await page.getByRole('button', { name: 'Drain…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Drain h2' }).waitFor();
  await take(page, 'drain-plan');
  await page.close();
}

async function takeFailover(browser: Browser, url: string): Promise<void> {
  const page = await visit(browser, url);
  const plug = page.getByRole('button', { name: /^Pull the plug of/ });
  const victim = (await plug.textContent())?.split(' ').at(-1) ?? '';
  await plug.click();
  // A busy machine may lose another host meanwhile; the story to show is that of this one.
  const run = page.locator('.run-banner', { hasText: `Failover of ${victim}` });
  await run.locator('.tick').nth(3).waitFor({ state: 'attached' });
  await take(page, 'live-run');
  await run.getByRole('link').first().click();
  await page.getByText(/^Recovered .* after its last heartbeat was seen/).waitFor();
  await take(page, 'finished-run');
  await page.getByRole('link', { name: 'Doctor' }).click();
  await page.locator('.findings').waitFor();
  await take(page, 'doctor');
  await page.getByRole('link', { name: 'Events' }).click();
  await page.getByRole('searchbox').waitFor();
  await take(page, 'events');
  await page.close();
}

async function takeAway(browser: Browser, url: string): Promise<void> {
  const page = await visit(browser, url);
  await page.getByRole('button', { name: 'Control plane…' }).click();
  await page.getByRole('button', { name: /Take the control plane away/ }).click();
  await page.getByText(/^API away for [3-9]\.\d s/).waitFor();
  await take(page, 'api-away');
  await page.close();
}

async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const browser = await launchBrowser();
  const system = await startSystem();
  try {
    await takeWhatStands(browser, `${system.url}/`);
    await takeFailover(browser, `${system.url}/`);
    await takeAway(browser, `${system.url}/`);
  } finally {
    await browser.close();
    await system.end();
  }
}

await main();
