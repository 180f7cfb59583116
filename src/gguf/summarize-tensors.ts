import type { TensorInfo } from './tensor-table.ts';
import type { TensorType } from './tensor-type.ts';

/** Figures about the weights of a model. */
export interface TensorSummary {
  /** Elements of all tensors. */
  readonly parameters: number;
  /** The type that most bytes of the matrices have; of all tensors when there is no matrix. `F32` without tensors. */
  readonly quantization: TensorType;
  readonly bytesByType: ReadonlyMap<TensorType, number>;
}

/** Sums up parameters and bytes. */
export function summarizeTensors(tensors: Iterable<TensorInfo>): TensorSummary {
  let parameters = 0;
  const bytesByType = new Map<TensorType, number>();
  const matrixBytes = new Map<TensorType, number>();
  for (const { elementCount, byteLength, shape, type } of tensors) {
    parameters += elementCount;
    add(bytesByType, type, byteLength);
    if (shape.length >= 2) add(matrixBytes, type, byteLength);
  }
  const quantization = largest(matrixBytes.size > 0 ? matrixBytes : bytesByType) ?? 'F32';
  return { parameters, quantization, bytesByType };
}

function add(sums: Map<TensorType, number>, type: TensorType, byteLength: number): void {
  sums.set(type, (sums.get(type) ?? 0) + byteLength);
}

function largest(sums: ReadonlyMap<TensorType, number>): TensorType | undefined {
  let best: [TensorType, number] | undefined;
  for (const entry of sums) if (best === undefined || entry[1] > best[1]) best = entry;
  return best?.[0];
}
