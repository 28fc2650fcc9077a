/**
 * What algorithms look at first, and start from.
 *
 * @module
 */

/** Whether all entries are finite. */
export function allFinite(a: ArrayLike<number>): boolean {
  for (let i = 0; i < a.length; i++) if (!(Math.abs(a[i]!) < Infinity)) return false;
  return true;
}

/** The largest size among entries; 1 where all are 0. */
export function largestOf(a: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]!));
  return largest === 0 ? 1 : largest;
}

/** The identity matrix. */
export function identity(n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) out[i * (n + 1)] = 1;
  return out;
}

/** Replaces an (n, n) matrix by the mean of it and its transpose. */
export function symmetrize(a: Float64Array, n: number): Float64Array {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const mean = a[i * n + j]! / 2 + a[j * n + i]! / 2;
      a[i * n + j] = mean;
      a[j * n + i] = mean;
    }
  }
  return a;
}
