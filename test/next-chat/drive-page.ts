import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 900, height: 760 }, ...options });
  await page.goto(url);
  return page;
}

export async function send(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

export const statusIs = (page: Page, status: string): Promise<void> =>
  page.locator(`main[data-status="${status}"]`).waitFor();

const screenshots = process.env['SCREENSHOTS'];

/** Keeps a picture in the folder `SCREENSHOTS`, if there is one. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (screenshots === undefined) return;
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}
