/**
 * Householder reflections, one behind the other.
 *
 * @module
 */
import { turned } from "../matmul/reference.ts";
import { productOf, type Rows, rowsOf, subtractProduct } from "./products.ts";
import { solveTriangle } from "./triangular.ts";

/** Squares below this are no longer exact, and nothing next to entries of size 1. */
const NEGLIGIBLE = 2 ** -900;

/**
 * Turns the column whose entries from `first` on are `v[first …]` onto its first entry: `v` becomes
 * the direction of length 1 along which all is reflected, or 0 where nothing is to do.
 *
 * @returns What the first entry becomes.
 */
export function reflector(v: Float64Array, first: number): number {
  const head = v[first]!;
  let rest = 0;
  for (let i = first + 1; i < v.length; i++) rest += v[i]! * v[i]!;
  if (rest < NEGLIGIBLE) {
    v.fill(0, first);
    return head;
  }
  const length = head < 0 ? Math.sqrt(rest + head * head) : -Math.sqrt(rest + head * head);
  const norm = Math.sqrt(rest + (head - length) ** 2);
  v[first] = head - length;
  for (let i = first; i < v.length; i++) v[i]! /= norm;
  return length;
}

/**
 * The first `columns` columns of H₀·H₁·…, in which each Hᵢ reflects along a row of `v` (count, n):
 * I − Vᵀ·S⁻¹·V with S the upper triangle of V·Vᵀ and ½ on its diagonal (Puglisi 1992,
 * https://doi.org/10.1137/0913042).
 */
export function reflectedIdentity(
  v: Float64Array,
  count: number,
  n: number,
  columns: number,
): Float64Array {
  const rows: Rows = rowsOf(v, n);
  const s = productOf(rows, turned(rows), count, n, count);
  for (let i = 0; i < count; i++) s[i * (count + 1)] = 0.5;
  const x = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) x.set(v.subarray(i * n, i * n + columns), i * columns);
  solveTriangle(rowsOf(s, count), rowsOf(x, columns), count, columns, { lower: false });
  const out = new Float64Array(n * columns);
  for (let i = 0; i < columns; i++) out[i * (columns + 1)] = 1;
  subtractProduct(rowsOf(out, columns), turned(rows), rowsOf(x, columns), n, count, columns);
  return out;
}
