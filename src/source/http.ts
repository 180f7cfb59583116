import { RivuletError } from '../errors.ts';
import type { ProgressListener } from '../events.ts';
import type { ByteSink } from './byte-sink.ts';

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Until the headers of the answer, redirects included. @default 30000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Between two pieces of the body. @default 60000 */
  readonly idleTimeoutMs?: number | undefined;
  readonly onProgress?: ProgressListener | undefined;
  /** For the progress. @default the last part of the URL */
  readonly label?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Larger bodies are refused. @default no limit: the disk is one */
  readonly maximumBytes?: number | undefined;
}

const defaultConnectTimeoutMs = 30_000;
const defaultIdleTimeoutMs = 60_000;

/**
 * Downloads a URL into a sink, with as many bytes as the server promised. Returns how many.
 * @throws {RivuletError} `SOURCE_NOT_FOUND`, `DOWNLOAD_FAILED`, `DOWNLOAD_INTERRUPTED`; what the sink
 * throws and the signal's reason pass through
 */
export async function downloadTo(
  url: string,
  sink: ByteSink,
  options: DownloadOptions = {},
): Promise<number> {
  options.signal?.throwIfAborted();
  const watch = new Watch(options.signal);
  try {
    const response = await request(url, watch, options);
    return await copyBody(url, response, sink, watch, options);
  } finally {
    watch.end();
  }
}

/** The body of a URL as text, for small answers. @throws {RivuletError} as {@link downloadTo} */
export async function downloadText(
  url: string,
  maximumBytes: number,
  options: DownloadOptions = {},
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const sink: ByteSink = {
    async write(chunk) {
      text += decoder.decode(chunk, { stream: true });
    },
  };
  await downloadTo(url, sink, { ...options, maximumBytes });
  return text + decoder.decode();
}

/** A URL without credentials and query, which may hold secrets, for messages. */
export function displayUrl(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url : `${parsed.origin}${parsed.pathname}`;
}

/** One abort controller for the caller's signal and a timer that is set anew for each wait. */
class Watch {
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #forward: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  timedOutMs: number | undefined;

  constructor(caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#forward = () => this.#controller.abort(caller?.reason);
    caller?.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  wait(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.timedOutMs = milliseconds;
      this.#controller.abort();
    }, milliseconds);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Also stops what is still coming when the download failed. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#forward);
    this.#controller.abort();
  }
}

async function request(url: string, watch: Watch, options: DownloadOptions): Promise<Response> {
  watch.wait(options.connectTimeoutMs ?? defaultConnectTimeoutMs);
  const { target, authorization } = splitCredentials(url);
  let response: Response;
  try {
    response = await fetch(target, {
      signal: watch.signal,
      redirect: 'follow',
      // A compressed body would have another length than the one promised.
      headers: { 'accept-encoding': 'identity', ...authorization, ...options.headers },
    });
  } catch (cause) {
    options.signal?.throwIfAborted();
    const found =
      watch.timedOutMs === undefined ? reasonOf(cause) : `no answer within ${watch.timedOutMs} ms`;
    throw new RivuletError(
      'DOWNLOAD_FAILED',
      `Expected an answer from ${displayUrl(url)}, found ${found}. Check the network and the address, or give the path of a file.`,
      { details: { url: displayUrl(url) }, cause },
    );
  }
  watch.pause();
  if (!response.ok) throw statusError(url, response.status);
  return response;
}

async function copyBody(
  url: string,
  response: Response,
  sink: ByteSink,
  watch: Watch,
  options: DownloadOptions,
): Promise<number> {
  const totalBytes = promisedBytes(response);
  const maximumBytes = options.maximumBytes ?? Number.POSITIVE_INFINITY;
  const idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  const label = options.label ?? (displayUrl(url).split('/').at(-1) || url);
  let doneBytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    watch.wait(idleTimeoutMs);
    let chunk: Uint8Array | undefined;
    try {
      chunk = (await reader?.read())?.value;
    } catch (cause) {
      options.signal?.throwIfAborted();
      const found = watch.timedOutMs === undefined ? reasonOf(cause) : `silence for ${watch.timedOutMs} ms`;
      throw interrupted(url, totalBytes, doneBytes, found, cause);
    }
    watch.pause();
    if (chunk === undefined) break;
    doneBytes += chunk.length;
    if (doneBytes > maximumBytes) {
      throw new RivuletError(
        'DOWNLOAD_FAILED',
        `Expected at most ${maximumBytes} bytes from ${displayUrl(url)}, found more. Check the address.`,
        { details: { url: displayUrl(url), maximumBytes } },
      );
    }
    await sink.write(chunk);
    options.signal?.throwIfAborted();
    options.onProgress?.({
      phase: 'download',
      label,
      doneBytes,
      ...(totalBytes === undefined ? {} : { totalBytes }),
    });
  }
  if (totalBytes !== undefined && doneBytes !== totalBytes) {
    throw interrupted(url, totalBytes, doneBytes, 'the end of the answer', undefined);
  }
  return doneBytes;
}

/** The length applies to the body as we see it only when nothing was encoded on the way. */
function promisedBytes(response: Response): number | undefined {
  const encoding = response.headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity') return undefined;
  const header = response.headers.get('content-length');
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}

/** `fetch` refuses URLs with credentials; servers expect them as basic authentication (RFC 7617). */
function splitCredentials(url: string): { target: URL; authorization: Record<string, string> } {
  const target = new URL(url);
  if (target.username === '' && target.password === '') return { target, authorization: {} };
  const pair = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
  target.username = '';
  target.password = '';
  const encoded = btoa(String.fromCharCode(...new TextEncoder().encode(pair)));
  return { target, authorization: { authorization: `Basic ${encoded}` } };
}

function statusError(url: string, status: number): RivuletError {
  const options = { details: { url: displayUrl(url), status } };
  if (status === 404 || status === 410) {
    return new RivuletError(
      'SOURCE_NOT_FOUND',
      `Expected a file at ${displayUrl(url)}, but the server has none (status ${status}). Check the names in the reference.`,
      options,
    );
  }
  const advice =
    status === 401 || status === 403
      ? 'It does not exist, is private, or its licence must be accepted first; download it by hand and give its path.'
      : 'Try again later, or give the path of a file.';
  return new RivuletError(
    'DOWNLOAD_FAILED',
    `Expected the file ${displayUrl(url)}, but the server answered with status ${status}. ${advice}`,
    options,
  );
}

function interrupted(
  url: string,
  totalBytes: number | undefined,
  doneBytes: number,
  found: string,
  cause: unknown,
): RivuletError {
  return new RivuletError(
    'DOWNLOAD_INTERRUPTED',
    `Expected ${totalBytes ?? 'all'} bytes from ${displayUrl(url)}, found ${found} after ${doneBytes}. Check the network and try again; nothing was kept.`,
    {
      details: { url: displayUrl(url), doneBytes, ...(totalBytes === undefined ? {} : { totalBytes }) },
      cause,
    },
  );
}

/** `fetch` hides what went wrong in the cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(inner instanceof Error)) return String(inner);
  if (inner.message !== '') return `a failure (${inner.message})`;
  return 'code' in inner ? `a failure (${String(inner.code)})` : 'a failure';
}
