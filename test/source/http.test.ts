import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Progress } from '../../src/events.ts';
import { downloadText, downloadTo } from '../../src/source/http.ts';
import {
  hang,
  loopbackHub,
  sendAndHang,
  sendFile,
  sendRedirect,
  sendShort,
  sendStatus,
} from './loopback-hub.ts';
import { collectingSink } from './memory-source.ts';

const content = Buffer.from('0123456789'.repeat(30_000));

describe('downloadTo', () => {
  it('writes the body, follows redirects and reports bytes', async () => {
    const hub = await loopbackHub({
      '/a': sendRedirect('/b/model.gguf'),
      '/b/model.gguf': sendFile(content),
    });
    const sink = collectingSink();
    const seen: Progress[] = [];
    const bytes = await downloadTo(`${hub.url}/a`, sink, { onProgress: (progress) => seen.push(progress) });
    expect(bytes).toBe(content.length);
    expect(sink.bytes()).toEqual(content);
    expect(seen.at(-1)).toEqual({
      phase: 'download',
      label: 'a',
      doneBytes: content.length,
      totalBytes: content.length,
    });
    expect(seen.every(({ doneBytes = 0 }, index) => doneBytes > (seen[index - 1]?.doneBytes ?? 0))).toBe(
      true,
    );
  });

  it.each([
    [404, 'SOURCE_NOT_FOUND'],
    [410, 'SOURCE_NOT_FOUND'],
    [401, 'DOWNLOAD_FAILED'],
    [403, 'DOWNLOAD_FAILED'],
    [500, 'DOWNLOAD_FAILED'],
    [503, 'DOWNLOAD_FAILED'],
  ])('turns status %i into %s', async (status, code) => {
    const hub = await loopbackHub({ '/m.gguf': sendStatus(status) });
    await expect(downloadTo(`${hub.url}/m.gguf`, collectingSink())).rejects.toMatchObject({
      code,
      details: { status },
      message: expect.stringContaining(`/m.gguf`),
    });
  });

  it.each([
    ['the connection closes early', sendShort(content.subarray(0, 1000), content.length), {}],
    ['the body stops', sendAndHang(content.subarray(0, 1000), content.length), { idleTimeoutMs: 150 }],
  ])('says that it was interrupted when %s', async (_, answer, options) => {
    const hub = await loopbackHub({ '/m.gguf': answer });
    await expect(downloadTo(`${hub.url}/m.gguf`, collectingSink(), options)).rejects.toMatchObject({
      code: 'DOWNLOAD_INTERRUPTED',
      details: { doneBytes: 1000, totalBytes: content.length },
    });
  });

  it('gives up on a server that does not answer', async () => {
    const hub = await loopbackHub({ '/m.gguf': hang });
    const start = performance.now();
    await expect(
      downloadTo(`${hub.url}/m.gguf`, collectingSink(), { connectTimeoutMs: 150 }),
    ).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED', message: expect.stringContaining('within 150 ms') });
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('says that nobody listens', async () => {
    // Port 9 (discard) has no service on a test machine.
    await expect(downloadTo('http://127.0.0.1:9/m.gguf', collectingSink())).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
    });
  });

  it('rethrows the reason of an abort before, while connecting and in the body', async () => {
    const hub = await loopbackHub({ '/hang': hang, '/slow': sendAndHang(content.subarray(0, 10), 1000) });
    const reason = new Error('enough');
    await expect(
      downloadTo(`${hub.url}/hang`, collectingSink(), { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
    expect(hub.requests).toEqual([]);
    for (const path of ['/hang', '/slow']) {
      const controller = new AbortController();
      const download = downloadTo(hub.url + path, collectingSink(), { signal: controller.signal });
      void delay(100).then(() => controller.abort(reason));
      await expect(download).rejects.toBe(reason);
    }
  });

  it('passes on what the sink throws', async () => {
    const hub = await loopbackHub({ '/m.gguf': sendFile(content) });
    const reason = new Error('sink');
    await expect(downloadTo(`${hub.url}/m.gguf`, { write: () => Promise.reject(reason) })).rejects.toBe(
      reason,
    );
  });

  it('sends credentials of the URL, and keeps them and the query out of messages', async () => {
    let authorization: string | undefined;
    const hub = await loopbackHub({
      '/m.gguf?token=secret': (request, response) => {
        authorization = request.headers.authorization;
        response.writeHead(500).end();
      },
    });
    const url = `${hub.url.replace('//', '//user:p%40ss@')}/m.gguf?token=secret`;
    const error: unknown = await downloadTo(url, collectingSink()).catch((caught: unknown) => caught);
    expect(authorization).toBe(`Basic ${btoa('user:p@ss')}`);
    expect(String(error)).toContain('/m.gguf');
    expect(String(error)).not.toMatch(/secret|p%40ss|p@ss/);
  });
});

describe('downloadText', () => {
  it('decodes the body and refuses more than it was told to', async () => {
    const hub = await loopbackHub({ '/list': sendFile(Buffer.from('äöü')) });
    expect(await downloadText(`${hub.url}/list`, 6)).toBe('äöü');
    await expect(downloadText(`${hub.url}/list`, 5)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  });
});
