/** Cut to its first elements and, where asked for, of length 1. A vector of zeros stays one. */
export function finishVector(row: Float32Array, dimensions: number, normalize: boolean): Float32Array {
  const vector = row.slice(0, dimensions);
  if (!normalize) return vector;
  let squares = 0;
  for (const element of vector) squares += element * element;
  if (squares === 0) return vector;
  const factor = 1 / Math.sqrt(squares);
  for (let index = 0; index < vector.length; index++) vector[index] = (vector[index] ?? 0) * factor;
  return vector;
}
