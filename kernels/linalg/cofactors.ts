/**
 * The cofactors of a matrix: the derivatives of its determinant.
 *
 * @module
 */
import { allFinite, identity } from "./entries.ts";
import { determinant, eliminate, hasZero, scaledBy, solveEliminated } from "./lu.ts";
import { productOf, rowsOf } from "./products.ts";
import { decomposeSingular } from "./svd.ts";

/**
 * The (n, n) cofactors: det(A)·A⁻ᵀ where there is an inverse, else from the singular values, of
 * which each is left out in turn.
 */
export function cofactorsOf(a: Float64Array, n: number): Float64Array {
  const lu = eliminate(a.slice(), n);
  const out = new Float64Array(n * n);
  if (!hasZero(lu.factors, n)) {
    const factor = determinant(lu, n);
    const inverse = solveEliminated(lu, identity(n), n, n, true);
    for (let k = 0; k < n * n; k++) out[k] = scaledBy(inverse[k]!, factor);
  } else out.fill(NaN);
  return allFinite(out) || !allFinite(a) ? out : fromSingularValues(a, n);
}

function fromSingularValues(a: Float64Array, n: number): Float64Array {
  const { u, s, vt } = decomposeSingular(a, n, n);
  const sign = signOf(u, n) * signOf(vt, n);
  let before = sign;
  const others = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    others[i] = before;
    before *= s[i]!;
  }
  let after = 1;
  for (let i = n - 1; i >= 0; i--) {
    others[i]! *= after;
    after *= s[i]!;
  }
  const scaled = u.map((x, k) => x * others[k % n]!);
  return productOf(rowsOf(scaled, n), rowsOf(vt, n), n, n, n);
}

/** The determinant of an orthogonal matrix, 1 or −1. */
function signOf(q: Float64Array, n: number): number {
  return Math.sign(determinant(eliminate(q.slice(), n), n).digits);
}
