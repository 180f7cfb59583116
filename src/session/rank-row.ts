import { RivuletError } from '../errors.ts';

/** The best of a row: falling logit, ties by lower id. Both (n,). */
export interface RankedRow {
  readonly ids: Int32Array;
  readonly logits: Float32Array;
  /** The largest value of the row. */
  readonly largest: number;
}

/**
 * An entry as one double that sorts as (logit, lower id first): 32 bits of logit and 21 bits of id fill exactly
 * the 53 bits that a double holds, and typed arrays sort doubles natively.
 */
const idRange: number = 2 ** 21;
const bits: Float32Array = new Float32Array(1);
const bitsAsInteger: Int32Array = new Int32Array(bits.buffer);

/** The buffer of survivors is this many times the asked count before it is cut back to the count. */
const bufferFactor = 4;
const smallestBuffer = 512;

/**
 * The `count` best of a row (all when the row is shorter), in one pass against a rising threshold.
 * @throws {RivuletError} `WEIGHTS_NOT_FINITE` for a row with NaN
 */
export function rankRow(row: Float32Array, count: number): RankedRow {
  const wanted = Math.min(count, row.length);
  const capacity = Math.min(Math.max(wanted * bufferFactor, smallestBuffer), row.length);
  const survivors = new Float64Array(capacity);
  let held = 0;
  let threshold = -Infinity;
  let largest = -Infinity;

  const consider = (id: number): void => {
    const logit = row[id]!;
    if (logit <= threshold) return;
    if (Number.isNaN(logit)) throw notFinite(id);
    if (logit > largest) largest = logit;
    if (wanted === 0) {
      threshold = logit;
      return;
    }
    if (held === capacity) {
      survivors.sort();
      survivors.copyWithin(0, held - wanted);
      held = wanted;
      threshold = logitOf(survivors[0]!);
      // An equal logit has the higher id and loses.
      if (logit <= threshold) return;
    }
    // Adding 0 turns -0 into 0: both are one logit.
    bits[0] = logit + 0;
    survivors[held] = toKey(bitsAsInteger[0]!, id);
    held += 1;
  };

  // Four at a time, as nearly all fall below the threshold; written so that NaN does not.
  const whole = row.length & ~3;
  for (let id = 0; id < whole; id += 4) {
    if (
      !(
        row[id]! <= threshold &&
        row[id + 1]! <= threshold &&
        row[id + 2]! <= threshold &&
        row[id + 3]! <= threshold
      )
    ) {
      consider(id);
      consider(id + 1);
      consider(id + 2);
      consider(id + 3);
    }
  }
  for (let id = whole; id < row.length; id += 1) consider(id);
  return collect(row, survivors.subarray(0, held).sort(), wanted, largest);
}

function collect(row: Float32Array, ascending: Float64Array, wanted: number, largest: number): RankedRow {
  const ids = new Int32Array(wanted);
  const logits = new Float32Array(wanted);
  const found = Math.min(wanted, ascending.length);
  for (let rank = 0; rank < found; rank += 1) {
    const key = ascending[ascending.length - 1 - rank]!;
    ids[rank] = idOf(key);
    logits[rank] = logitOf(key);
  }
  // The pass skips minus infinity; when finite logits are fewer than asked for, those follow by id.
  for (let id = 0, rank = found; rank < wanted; id += 1) {
    if (row[id] !== -Infinity) continue;
    ids[rank] = id;
    logits[rank] = -Infinity;
    rank += 1;
  }
  return { ids, logits, largest };
}

/** IEEE 754 order as integer order: negative floats have their magnitude bits turned round. */
function toKey(floatBits: number, id: number): number {
  const ordered = floatBits < 0 ? floatBits ^ 0x7fffffff : floatBits;
  return ordered * idRange + (idRange - 1 - id);
}

function idOf(key: number): number {
  return idRange - 1 - (key - Math.floor(key / idRange) * idRange);
}

function logitOf(key: number): number {
  const ordered = Math.floor(key / idRange);
  bitsAsInteger[0] = ordered < 0 ? ordered ^ 0x7fffffff : ordered;
  return bits[0]!;
}

function notFinite(id: number): RivuletError {
  return new RivuletError(
    'WEIGHTS_NOT_FINITE',
    `Expected the model to give a number for every token, found NaN for token ${id}. The file's weights are damaged; download or convert it again.`,
    { details: { tokenId: id } },
  );
}
