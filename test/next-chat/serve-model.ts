import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';

export interface ModelServer {
  readonly url: string;
  readonly requests: () => number;
  close(): void;
}

const bytesPerSecond = 40e6;

/** A model behind HTTP, slow enough for a progress bar to be seen. */
export async function serveModel(path: string): Promise<ModelServer> {
  let requests = 0;
  const server = createServer((request, response) => {
    response.writeHead(200, { 'content-length': statSync(path).size });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    requests += 1;
    const brake = new Transform({
      transform: (chunk: Buffer, _, done) =>
        void setTimeout(done, (chunk.length / bytesPerSecond) * 1000, undefined, chunk),
    });
    createReadStream(path, { highWaterMark: 2 ** 20 })
      .pipe(brake)
      .pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/smollm2.gguf`,
    requests: () => requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
