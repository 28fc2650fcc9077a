/**
 * One row per record of `./linalg`: random calls, and what defines the result. Determinants are
 * expanded by rows, products are sums written out: nothing of it is shared with the kernels.
 */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import * as choleskyRecords from "../../src/linalg/cholesky.ts";
import * as detRecords from "../../src/linalg/det.ts";
import * as eighRecords from "../../src/linalg/eigh.ts";
import * as qrRecords from "../../src/linalg/qr.ts";
import * as solveRecords from "../../src/linalg/solve.ts";
import * as svdRecords from "../../src/linalg/svd.ts";
import type { Op } from "../../src/op.ts";
import { concat } from "../../src/ops/mod.ts";
import { sizeOf } from "../../src/shape.ts";
import { fromData, type Tensor } from "../../src/tensor.ts";
import { assertAllClose } from "../../src/testing.ts";
import { apply } from "../../src/trace.ts";
import { numbers, tensors } from "../ops/arbitraries.ts";

/** A matrix as rows. */
export type Matrix = number[][];

/** A row of the table. */
export interface Row {
  op: Op<never>;
  /** float64 arguments. */
  inputs: fc.Arbitrary<Tensor[]>;
  /** The results. */
  call: (...inputs: Tensor[]) => Tensor[];
  /** Throws unless the results of one matrix of each argument are right, up to a tolerance. */
  check: (inputs: Matrix[], results: Matrix[], close: Close) => void;
  /** What depends on the arguments smoothly; by default the results side by side. */
  smooth?: (...results: Tensor[]) => Tensor[];
}

/** Asserts that matrices are close. */
export type Close = (actual: Matrix, expected: Matrix) => void;

/** Closeness within a tolerance. */
export function closeWithin(tolerance: number): Close {
  const options = { rtol: tolerance, atol: tolerance };
  return (actual, expected) => {
    assertEquals([actual.length, actual[0]?.length], [expected.length, expected[0]?.length]);
    assertAllClose(actual.flat(), expected.flat(), options);
  };
}

/** A · B */
export const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));

/** Aᵀ */
export const flip = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => row[j]!));

/** The entries for which something holds; 0 elsewhere. */
const keep = (a: Matrix, holds: (i: number, j: number) => boolean): Matrix =>
  a.map((row, i) => row.map((x, j) => holds(i, j) ? x : 0));
const lower = (a: Matrix) => keep(a, (i, j) => i >= j);
const upper = (a: Matrix) => keep(a, (i, j) => i <= j);
const unit = (n: number): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));
const diagonal = (values: number[]): Matrix => keep(values.map(() => values), (i, j) => i === j);

/** The determinant, expanded by the first row. */
export function determinant(a: Matrix): number {
  return a.length === 0 ? 1 : a[0]!.reduce((sum, x, j) => sum + x * cofactor(a, 0, j), 0);
}

/** Plus or minus the determinant without a row and a column. */
export function cofactor(a: Matrix, row: number, column: number): number {
  const rest = a.filter((_, i) => i !== row).map((r) => r.filter((_, j) => j !== column));
  return (row + column) % 2 === 0 ? determinant(rest) : -determinant(rest);
}

const batches = fc.constantFrom<number[]>([], [2], [1, 2]);
const extents = fc.integer({ min: 1, max: 4 });
const values = numbers([-2, 2]);

/** Adds to the diagonal, so that nothing is near to singular. */
function away(x: Tensor, by = 4): Tensor {
  const [m, n] = x.shape.slice(-2) as [number, number];
  const data = Float64Array.from(
    x.data,
    (v, k) => v + (Math.floor(k / n) % m === k % n ? by + k % n : 0),
  );
  return fromData(data, x.shape);
}

const rectangles = fc.tuple(batches, extents, extents).chain(([batch, m, n]) =>
  tensors([...batch, m, n], values)
);
const anySquares = fc.tuple(batches, extents).chain(([batch, n]) =>
  tensors([...batch, n, n], values)
);
const squares = anySquares.map((x) => away(x));
const tall = rectangles.filter(({ shape }) => shape.at(-2)! >= shape.at(-1)!);
const systems = fc.tuple(squares, extents).chain(([a, k]) =>
  tensors([...a.shape.slice(0, -1), k], values).map((b) => [a, b])
);
const alone = (made: fc.Arbitrary<Tensor>) => made.map((x) => [x]);

/** Matrices whose halves mirror each other, with eigenvalues that lie apart. */
const symmetric = (made: fc.Arbitrary<Tensor>, by: number) =>
  made.map((x) => {
    const axes = x.shape.map((_, i) => i);
    const turned = x.transpose([...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
    return [away(x.add(turned).mul(0.2), by)];
  });

const side = (lower: boolean, transpose: boolean) => ({ lower, transpose });

const CHOLESKY: Row[] = [
  {
    op: choleskyRecords.choleskyOp,
    inputs: symmetric(anySquares, 4),
    call: (a) => [choleskyRecords.cholesky(a)],
    check([a], [l], close) {
      close(times(l!, flip(l!)), a!);
      assertEquals(l, lower(l!));
      assertEquals(l!.every((row, i) => row[i]! > 0), true);
    },
  },
  {
    op: choleskyRecords.solveTriangularOp,
    inputs: systems,
    call: (a, b) => [
      choleskyRecords.solveTriangular(a, b),
      choleskyRecords.solveTriangular(a, b, side(false, false)),
      choleskyRecords.solveTriangular(a, b, side(true, true)),
      choleskyRecords.solveTriangular(a, b, side(false, true)),
    ],
    check([a, b], results, close) {
      const read = [lower(a!), upper(a!), flip(lower(a!)), flip(upper(a!))];
      results.forEach((x, i) => close(times(read[i]!, x), b!));
    },
  },
];

const SOLVE: Row[] = [
  {
    op: solveRecords.solveOp as Op<never>,
    inputs: systems,
    call: (a, b) => [solveRecords.solve(a, b), apply(solveRecords.solveOp, [a, b], true)],
    check([a, b], [x, y], close) {
      close(times(a!, x!), b!);
      close(times(flip(a!), y!), b!);
    },
  },
  {
    op: solveRecords.inverseOp,
    inputs: alone(squares),
    call: (a) => [solveRecords.inverse(a)],
    check: ([a], [x], close) => close(times(a!, x!), unit(a!.length)),
  },
];

const DET: Row[] = [
  {
    op: detRecords.detOp,
    inputs: alone(anySquares),
    call: (a) => [detRecords.det(a)],
    check: ([a], [y], close) => close(y!, [[determinant(a!)]]),
  },
  {
    op: detRecords.cofactorOp,
    inputs: alone(anySquares),
    call: (a) => [apply(detRecords.cofactorOp, [a], null)],
    check: ([a], [y], close) =>
      close(y!, a!.map((row, i) => row.map((_, j) => cofactor(a!, i, j)))),
  },
  {
    op: detRecords.logDetOp,
    inputs: alone(squares.map((x) => fromData(x.data.map((v) => -v), x.shape))),
    call(a) {
      const { sign, logAbs } = detRecords.logDet(a);
      return [sign, logAbs];
    },
    check: ([a], [sign, size], close) =>
      close([[sign![0]![0]! * Math.exp(size![0]![0]!)]], [[determinant(a!)]]),
  },
];

const DECOMPOSITIONS: Row[] = [
  {
    op: eighRecords.eighOp,
    inputs: symmetric(anySquares, 1),
    call(a) {
      const { values, vectors } = eighRecords.eigh(a);
      return [values.expandDims(-2), vectors];
    },
    check([a], [w, v], close) {
      close(times(a!, v!), times(v!, diagonal(w![0]!)));
      close(times(flip(v!), v!), unit(a!.length));
      assertEquals(w![0], w![0]!.toSorted((x, y) => x - y));
    },
    smooth: (w, v) => [w!, v!.square()],
  },
  {
    op: svdRecords.svdOp,
    inputs: alone(rectangles.map((x) => away(x, 1))),
    call(a) {
      const { u, s, vt } = svdRecords.svd(a);
      return [u, s.expandDims(-2), vt];
    },
    check([a], [u, s, vt], close) {
      close(times(times(u!, diagonal(s![0]!)), vt!), a!);
      close(times(flip(u!), u!), unit(s![0]!.length));
      close(times(vt!, flip(vt!)), unit(s![0]!.length));
      assertEquals(s![0], s![0]!.toSorted((x, y) => y - x));
      assertEquals(s![0]!.every((x) => x >= 0), true);
    },
    smooth: (u, s, vt) => [u!.square(), s!, vt!.square()],
  },
  {
    op: qrRecords.qrOp,
    inputs: alone(rectangles.map((x) => away(x))),
    call(a) {
      const { q, r } = qrRecords.qr(a);
      return [q, r];
    },
    check([a], [q, r], close) {
      close(times(q!, r!), a!);
      close(times(flip(q!), q!), unit(r!.length));
      assertEquals(r, upper(r!));
    },
  },
  {
    op: svdRecords.pinvOp as Op<never>,
    inputs: alone(tall.map((x) => away(x))),
    call: (a) => [svdRecords.pinv(a)],
    check([a], [p], close) {
      const [left, right] = [times(a!, p!), times(p!, a!)];
      close(times(left, a!), a!);
      close(times(right, p!), p!);
      close(left, flip(left));
      close(right, flip(right));
    },
  },
];

/** All of them. */
export const ROWS: readonly Row[] = [...CHOLESKY, ...SOLVE, ...DET, ...DECOMPOSITIONS];

/** Every exported record, by the name of its constant. */
export const RECORDS: readonly [name: string, record: { name: string }][] = [
  choleskyRecords,
  detRecords,
  eighRecords,
  qrRecords,
  solveRecords,
  svdRecords,
].flatMap((family) =>
  Object.entries(family as Record<string, unknown>).filter(([, value]) =>
    typeof value === "object" && "vjp" in value!
  ) as [string, { name: string }][]
);

/** The matrices of a tensor; what has no two axes left is one number each. */
export function matricesOf(x: Tensor, count: number): Matrix[] {
  const isScalar = x.size === count;
  const [m, n] = isScalar ? [1, 1] : x.shape.slice(-2) as [number, number];
  return Array.from({ length: count }, (_, i) => {
    const numbers = [...x.data.subarray(i * m * n, (i + 1) * m * n)];
    return Array.from({ length: m }, (_, row) => numbers.slice(row * n, (row + 1) * n));
  });
}

/** Asserts that the results of every matrix are right. */
export function checkAll(
  { check }: Row,
  inputs: readonly Tensor[],
  results: readonly Tensor[],
  close: Close,
): void {
  const count = sizeOf(inputs[0]!.shape.slice(0, -2));
  const given = inputs.map((x) => matricesOf(x, count));
  const found = results.map((x) => matricesOf(x, count));
  for (let i = 0; i < count; i++) check(given.map((m) => m[i]!), found.map((m) => m[i]!), close);
}

/** What depends on the arguments smoothly, as one vector. */
export function smoothly({ call, smooth }: Row, inputs: readonly Tensor[]): Tensor {
  const results = call(...inputs);
  return concat((smooth?.(...results) ?? results).map((y) => y.reshape([y.size])));
}
