import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface LoopbackHub {
  readonly url: string;
  /** Paths of all requests so far, in order. */
  readonly requests: readonly string[];
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine that answers by path and lives as long as the running test. */
export async function loopbackHub(answers: Readonly<Record<string, Answer>>): Promise<LoopbackHub> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    const answer = answers[path];
    if (answer === undefined) response.writeHead(404).end('no such thing');
    else answer(request, response);
  });
  await new Promise<void>((settle) => {
    server.listen(0, '127.0.0.1', settle);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((settle) => {
      server.close(settle);
    });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function sendFile(content: Uint8Array): Answer {
  return (_, response) => response.writeHead(200, { 'content-length': content.length }).end(content);
}

export function sendStatus(status: number): Answer {
  return (_, response) => response.writeHead(status).end('failed');
}

export function sendRedirect(location: string): Answer {
  return (_, response) => response.writeHead(302, { location }).end();
}

/** Promises more than it sends, then closes the connection. */
export function sendShort(content: Uint8Array, promisedBytes: number): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-length': promisedBytes });
    response.write(content, () => response.destroy());
  };
}

/** Sends some bytes, then nothing more. */
export function sendAndHang(content: Uint8Array, promisedBytes: number): Answer {
  return (_, response) => {
    response.writeHead(200, { 'content-length': promisedBytes });
    response.write(content);
  };
}

/** Accepts the request and never answers. */
export const hang: Answer = () => undefined;

/** The listing of a repository as the hub's model API gives it. */
export function sendListing(files: readonly string[]): Answer {
  return sendFile(
    Buffer.from(JSON.stringify({ id: 'o/r', siblings: files.map((rfilename) => ({ rfilename })) })),
  );
}
