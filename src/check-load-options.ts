import { RivuletError } from './errors.ts';

/** More threads than any machine has cores; ONNX Runtime would start them all. */
const maximumThreads = 1024;

/** Load options of callers without types, too. */
interface GivenLoadOptions {
  readonly threads?: unknown;
  readonly dialect?: unknown;
  readonly device?: unknown;
  readonly cacheType?: unknown;
  readonly maxStreams?: unknown;
}

/**
 * What can be found wrong before anything is fetched or opened.
 * @throws {RivuletError} `INVALID_ARGUMENT`; `UNSUPPORTED` for devices that no engine runs on yet
 */
export function checkLoadOptions(options: GivenLoadOptions): void {
  const { threads, dialect, device, cacheType, maxStreams } = options;
  if (threads !== undefined && !(isCount(threads) && threads <= maximumThreads)) {
    throw wrong('threads', `a whole number from 1 to ${maximumThreads}`, threads);
  }
  if (maxStreams !== undefined && !isCount(maxStreams)) {
    throw wrong('maxStreams', 'a whole number above 0', maxStreams);
  }
  requireOneOf('dialect', dialect, ['native', 'portable']);
  requireOneOf('cacheType', cacheType, ['f32', 'f16', 'q8_0', 'q4_0']);
  requireOneOf('device', device, ['auto', 'cpu', 'cuda', 'webgpu']);
  if (device === 'cuda' || device === 'webgpu') {
    throw new RivuletError(
      'UNSUPPORTED',
      `Expected device to be 'cpu' or 'auto': both engines of this version run on the CPU only, found '${device}'. Leave device away, or set it to 'auto' to use what later versions can.`,
      { details: { option: 'device', device } },
    );
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

function requireOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || (typeof value === 'string' && known.includes(value))) return;
  throw wrong(name, `one of ${known.join(', ')}`, value);
}

function wrong(name: string, expected: string, found: unknown): RivuletError {
  const shown = typeof found === 'string' ? `'${found}'` : String(found);
  return new RivuletError('INVALID_ARGUMENT', `Expected ${name} to be ${expected}; found ${shown}.`, {
    details: { option: name },
  });
}
