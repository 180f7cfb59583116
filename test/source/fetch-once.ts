import { openCache } from '../../src/source/disk-cache.ts';
import { downloadTo } from '../../src/source/http.ts';

// Run as a process of its own: fetches one URL into a cache and prints what it saw.
const [folder = '', url = ''] = process.argv.slice(2);
let isWaiting = false;
const entry = await openCache(folder).fetch(
  'key',
  'model.gguf',
  (sink) => downloadTo(url, sink).then(() => undefined),
  {
    onProgress: ({ label }) => {
      isWaiting ||= label.startsWith('waiting for another process');
    },
  },
);
process.stdout.write(JSON.stringify({ ...entry, isWaiting }));
