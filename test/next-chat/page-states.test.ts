import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { open, send, shoot, statusIs } from './drive-page.ts';
import { findChromium } from './find-chromium.ts';
import { startServer } from './start-server.ts';
import type { Server } from './start-server.ts';

const executablePath = findChromium();
const nextStart = ['node_modules/next/dist/bin/next', 'start'];

describe.skipIf(executablePath === undefined)('what a page shows when things go another way', () => {
  let browser: Browser;
  let server: Server;
  const app = process.env['NEXT_CHAT_APP'] ?? '';

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
    server = await startServer(nextStart, app, { MODEL: 'scripted' });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Presses the stop button as soon as something shows, which a slow machine would be too late for from here. */
  const stopAt = (page: Page, selector: string): Promise<void> =>
    page.evaluate((awaited) => {
      new MutationObserver(() => {
        if (document.querySelector(awaited) !== null) document.querySelector<HTMLElement>('.stop')?.click();
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    }, selector);
  const askForAppointment = async (page: Page): Promise<void> => {
    await page.getByLabel('Tools').check();
    await send(page, 'Make an appointment with the dentist on Monday.');
  };
  const untilAsked = (page: Page): Promise<void> =>
    page.locator('.tool[data-state="approval-requested"]').waitFor();

  it('a model that thinks is stopped: its thoughts are closed, and the talk goes on', async () => {
    const page = await open(browser, server.url);
    await stopAt(page, '.reasoning[open]:only-child');
    await send(page, 'Hello');
    await page.locator('.reasoning:not([open]):only-child').waitFor();
    await statusIs(page, 'ready');
    expect(await page.locator('.reasoning summary').innerText()).toBe('Thoughts');
    await askForAppointment(page);
    await untilAsked(page);
    await page.close();
  });

  it('a call is stopped while it is written', async () => {
    const page = await open(browser, server.url);
    await stopAt(page, '.tool[data-state="input-streaming"]');
    await askForAppointment(page);
    await page.locator('.tool', { hasText: 'Stopped: it did not run.' }).waitFor();
    await statusIs(page, 'ready');
    await shoot(page, 'stopped-call');
    await page.close();
  });

  it('a call is approved after the tools were switched off: it runs', async () => {
    const page = await open(browser, server.url);
    await askForAppointment(page);
    await untilAsked(page);
    await page.getByLabel('Tools').uncheck();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.locator('.message.assistant .text').first().waitFor();
    expect(await page.locator('.tool .result').innerText()).toMatch(/Booked "Dentist" for Monday/);
    await page.close();
  });

  it('somebody writes on instead of deciding: the call cannot be approved any more', async () => {
    const page = await open(browser, server.url);
    await askForAppointment(page);
    await untilAsked(page);
    await statusIs(page, 'ready');
    await send(page, 'Hello');
    await page.locator('.reasoning').waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    expect(await page.locator('.tool').innerText()).toContain('Not approved: it did not run.');
    await page.close();
  });

  it('code stands in blocks of its own', async () => {
    const page = await open(browser, server.url);
    await send(page, 'Please read this:\n```ts\nconst one = 1;\n```\nand tell me.');
    const message = page.locator('.message.user');
    expect(await message.locator('pre').innerText()).toBe('const one = 1;');
    expect(await message.locator('.text').allInnerTexts()).toEqual(['Please read this:', 'and tell me.']);
    await page.close();
  });

  it('Enter that ends a composed character sends nothing, and the one after it does', async () => {
    const page = await open(browser, server.url);
    const field = page.getByLabel('Message');
    await field.fill('日本');
    await field.dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
    expect(await field.inputValue()).toBe('日本');
    await field.press('Enter');
    await page.locator('.message.user', { hasText: '日本' }).waitFor();
    await page.close();
  });

  it('the end of an answer is in view; who has scrolled up stays there', async () => {
    const page = await open(browser, server.url, { viewport: { width: 390, height: 420 } });
    const belowPx = (): Promise<number> =>
      page.evaluate(() => document.documentElement.scrollHeight - innerHeight - scrollY);
    await send(page, 'Hello');
    await page.locator('.message.assistant footer').waitFor();
    await statusIs(page, 'ready');
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(0);
    await expect.poll(belowPx).toBeLessThan(2);
    await shoot(page, 'scrolled');
    await send(page, 'Hello');
    await page.locator('.reasoning[open]').waitFor();
    await page.mouse.move(200, 200);
    await page.mouse.wheel(0, -150);
    await expect.poll(belowPx).toBeGreaterThan(20);
    const top = await page.evaluate(() => scrollY);
    await page.locator('.message.assistant footer').nth(1).waitFor();
    await statusIs(page, 'ready');
    expect(await page.evaluate(() => scrollY)).toBeLessThanOrEqual(top);
    await page.close();
  });

  it('a recipe that ends in its middle is called so', async () => {
    const page = await open(browser, `${server.url}/recipe`);
    await page.route('**/api/recipe', (route) => route.fulfill({ body: '{"name": "Pancakes", "serv' }));
    await page.getByRole('button', { name: 'Write' }).click();
    await statusIs(page, 'error');
    expect(await page.locator('.problem').innerText()).toBe('The recipe was cut off.');
    expect(await page.locator('.card h1').innerText()).toBe('Pancakes');
    await page.close();
  });

  it('without the model both pages say what is missing', async () => {
    const other = await startServer(nextStart, app, { MODEL: '/nowhere/model.gguf' });
    try {
      const page = await open(browser, other.url);
      await send(page, 'Hello');
      const problem = page.locator('.problem');
      expect(await problem.innerText()).toMatch(
        /Expected a GGUF file at "\/nowhere\/model\.gguf"[^]*Try again/,
      );
      await page.goto(`${other.url}/recipe`);
      await page.getByRole('button', { name: 'Write' }).click();
      await statusIs(page, 'error');
      expect(await problem.innerText()).toMatch(/Expected a GGUF file at "\/nowhere\/model\.gguf"/);
      await page.close();
    } finally {
      await other.stop();
    }
  });

  it('a question that is too long is an error, without an empty answer beside it', async () => {
    const page = await open(browser, server.url);
    await send(page, 'Hello '.repeat(1000));
    await page.locator('.problem').waitFor();
    expect(await page.locator('.problem').innerText()).toMatch(/context holds 4096/);
    expect(await page.locator('.message.assistant:visible').count()).toBe(0);
    await page.close();
  });

  it('the server dies while it streams: the page says so', async () => {
    const other = await startServer(nextStart, app, { MODEL: 'scripted' });
    const page = await open(browser, other.url);
    await send(page, 'Hello');
    await page.locator('.reasoning').waitFor();
    other.kill();
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await shoot(page, 'server-died');
    await page.close();
  });
});
