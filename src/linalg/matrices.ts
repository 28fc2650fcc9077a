/**
 * What the operations of linear algebra have in common: matrices in the last two axes, and a batch
 * of them in the axes before.
 *
 * @module
 */
import { allFinite } from "../../kernels/linalg/entries.ts";
import { allocate, type FloatArray } from "../dtype.ts";
import type { OpaqueOp, Spec, Vjp } from "../op.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { placesAlong } from "../ops/linalg.ts";
import { reshape, split, transpose } from "../ops/mod.ts";
import { broadcastShapes, broadcastStrides, formatShape, type Shape, sizeOf } from "../shape.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { isKnown } from "../trace.ts";

/** Rows and columns. */
export interface Extents {
  m: number;
  n: number;
}

/** The axes before the last two, and the extents of those. */
export function matrixShape(x: Tensor): Extents & { batch: Shape } {
  return { batch: x.shape.slice(0, -2), m: x.shape.at(-2)!, n: x.shape.at(-1)! };
}

/** An argument as floating matrices; throws a `TypeError` where it has no two axes. */
export function takeMatrices(caller: string, a: TensorLike): Tensor {
  const x = floating(asOperand(caller, a, "a"));
  if (x.rank >= 2) return x;
  throw new TypeError(
    `Cannot compute ${caller} as a must be a matrix, or a batch of them: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/** The same where they must be square. */
export function takeSquare(caller: string, a: TensorLike): Tensor {
  const x = takeMatrices(caller, a);
  checkSquare(caller, x);
  return x;
}

function checkSquare(caller: string, x: Tensor): void {
  const { m, n } = matrixShape(x);
  if (m === n) return;
  throw new TypeError(
    `Cannot compute ${caller} as a must have as many rows as columns: ` +
      `current shape is ${formatShape(x.shape)}`,
  );
}

/** A system of equations: square matrices, and right-hand sides of as many rows. */
export interface System {
  a: Tensor;
  b: Tensor;
  /** Whether `b` was a vector, as the solution is to be. */
  isVector: boolean;
}

/** The arguments of a function that solves systems. */
export function takeSystem(caller: string, a: TensorLike, b: TensorLike): System {
  const [left, right] = promoteAll(caller, { a, b }).map(floating) as [Tensor, Tensor];
  const square = takeSquare(caller, left);
  const isVector = right.rank === 1;
  const n = square.shape.at(-1)!;
  if (right.rank === 0 || right.shape.at(isVector ? -1 : -2) !== n) {
    throw new TypeError(
      `Cannot compute ${caller} as b must have as many rows as a: ` +
        `current shapes are ${formatShape(square.shape)} and ${formatShape(right.shape)}`,
    );
  }
  return { a: square, b: isVector ? reshape(right, [n, 1]) : right, isVector };
}

/** The matrices with rows and columns exchanged. */
export function turned(x: Tensor): Tensor {
  const axes = x.shape.map((_, i) => i);
  const [rows, columns] = axes.splice(-2) as [number, number];
  return transpose(x, [...axes, columns, rows]);
}

/** What an operation of the host does with each matrix. */
export interface MatrixDraft {
  name: string;
  /** What stands in the place of a matrix: shapes, one behind the other where there are several. */
  parts: (extents: Extents) => readonly Shape[];
  /** Their numbers, from those of a matrix, which may be overwritten. */
  compute: (matrix: Float64Array, extents: Extents) => readonly ArrayLike<number>[];
  /** Whether anything but finite numbers gives NaN without computing. */
  finite?: boolean;
  vjp: Vjp<null>;
}

/**
 * An operation on each matrix in the last two axes, in float64; several results lie in one axis.
 */
export function onMatrices({ name, parts, compute, finite, vjp }: MatrixDraft): OpaqueOp<null> {
  return {
    kind: "opaque",
    batched: true,
    name,
    infer([x]): Spec {
      const { batch, ...extents } = matrixShape(x!);
      const shapes = parts(extents);
      const own = shapes.length === 1 ? shapes[0]! : [shapes.map(sizeOf).reduce((a, b) => a + b)];
      return { shape: [...batch, ...own], dtype: x!.dtype };
    },
    forward([x], _params, { shape, dtype }) {
      const { batch, ...extents } = matrixShape(x!);
      const out = allocate(dtype, sizeOf(shape)) as FloatArray;
      const [count, size] = [sizeOf(batch), extents.m * extents.n];
      const width = count === 0 ? 0 : out.length / count;
      for (let i = 0; i < count; i++) {
        // Where it fits, the result's own place is where the matrix is worked on.
        const fits = out instanceof Float64Array && width === size;
        const matrix = fits ? out.subarray(i * size, (i + 1) * size) : new Float64Array(size);
        matrix.set(x!.data.subarray(i * size, (i + 1) * size));
        if (finite && !allFinite(matrix)) {
          out.fill(NaN, i * width, (i + 1) * width);
          continue;
        }
        let at = i * width;
        for (const part of compute(matrix, extents)) {
          if (part !== matrix || !fits) out.set(part, at);
          at += part.length;
        }
      }
      return out;
    },
    vjp,
  };
}

/** The results that lie in one axis. */
export function unpack(packed: Tensor, shapes: readonly Shape[]): Tensor[] {
  const parts = split(packed, shapes.map(sizeOf), { axis: -1 });
  return parts.map((part, i) => reshape(part, [...packed.shape.slice(0, -1), ...shapes[i]!]));
}

/** How an operation of the host solves one system: a (n, n), b (n, k), which may be overwritten. */
export type Solve<P> = (b: Float64Array, n: number, k: number, params: P) => Float64Array;

/** An operation on systems of equations, whose batches broadcast. */
export function onSystems<P>(
  name: string,
  prepare: (a: Float64Array, n: number) => Solve<P>,
  vjp: Vjp<P>,
): OpaqueOp<P> {
  return {
    kind: "opaque",
    batched: true,
    name,
    infer([a, b]): Spec {
      const [left, right] = [matrixShape(a!), matrixShape(b!)];
      const batch = broadcastShapes(name, left.batch, right.batch);
      return { shape: [...batch, right.m, right.n], dtype: a!.dtype };
    },
    forward([a, b], params, { shape, dtype }) {
      const out = allocate(dtype, sizeOf(shape)) as FloatArray;
      const [n, k] = shape.slice(-2) as [number, number];
      const [lefts, rights] = [a!, b!].map((x) => eachMatrix(x, shape.slice(0, -2)));
      let last: ArrayLike<number> | undefined;
      let solve: Solve<P> | undefined;
      lefts!.forEach((left, i) => {
        // Systems that share a matrix share what is prepared of it.
        if (solve === undefined || left !== last) solve = prepare(new Float64Array(left), n);
        last = left;
        out.set(solve(new Float64Array(rights![i]!), n, k, params), i * n * k);
      });
      return out;
    },
    vjp,
  };
}

/** The numbers of the matrix at each place of a batch to which the leading axes broadcast. */
function eachMatrix(x: Tensor, batch: Shape): FloatArray[] {
  const { batch: own, m, n } = matrixShape(x);
  const data = x.data as FloatArray;
  const found = new Map<number, FloatArray>();
  const strides = broadcastStrides(own, batch).map((stride) => stride * m * n);
  return placesAlong(batch, strides).map((offset) => {
    const known = found.get(offset) ?? data.subarray(offset, offset + m * n);
    found.set(offset, known);
    return known;
  });
}

/**
 * Throws a `RangeError` where a result is known already, and its first number is NaN though it is
 * made of finite ones: in programs it stays NaN.
 */
export function refuseNaN(
  caller: string,
  must: string,
  result: Tensor,
  inputs: () => readonly Tensor[],
): Tensor {
  if (result.size === 0 || !isKnown(result)) return result;
  const { data, shape } = result;
  const batch = shape.slice(0, -2);
  const count = sizeOf(batch);
  for (let i = 0, at = 0; i < count; i++, at += data.length / count) {
    if (!Number.isNaN(data[at]) || !inputs().every((x) => allFinite(eachMatrix(x, batch)[i]!))) {
      continue;
    }
    throw new RangeError(
      `Cannot compute ${caller} as ${must}` +
        (batch.length === 0 ? "" : `: matrix ${i} of the batch is not`),
    );
  }
  return result;
}
