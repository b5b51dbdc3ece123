/** Pages of the console in a headless Chromium. */
import type { Browser, Page } from 'playwright-core';

export { launchBrowser } from '../../tools/chromium.ts';

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

/** A fresh page of its own storage; what the page logs as an error, or what its content policy refuses, is kept. */
export async function openPage(browser: Browser, options: PageOptions = {}): Promise<Page & { troubles: string[] }> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.theme ?? 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => {
    // The browser itself reports every answer of 4xx and 5xx; what the page makes of them is what is tested.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      troubles.push(message.text());
  });
  return Object.assign(page, { troubles });
}
