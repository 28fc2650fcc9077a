/**
 * One row per record that is not elementwise: random calls, and the same by walking positions.
 *
 * A reference computes one value of the result from its position, through `at`, and knows nothing of
 * strides, blocks or tapes.
 */
import fc from "fast-check";
import type { Op } from "../../src/op.ts";
import * as argReduce from "../../src/ops/arg_reduce.ts";
import * as gradient from "../../src/ops/gradient.ts";
import * as join from "../../src/ops/join.ts";
import * as layout from "../../src/ops/layout.ts";
import * as linalg from "../../src/ops/linalg.ts";
import * as moments from "../../src/ops/moments.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as segment from "../../src/ops/segment.ts";
import * as select from "../../src/ops/select.ts";
import * as sorting from "../../src/ops/sort.ts";
import { sparseProductOp } from "../../src/ops/sparse_product.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/shape.ts";
import { fromData, type Tensor, tensor } from "../../src/tensor.ts";
import { apply } from "../../src/trace.ts";
import { numbers, shapes, tensors } from "./arbitraries.ts";
import { CUMULATIVE_ROWS } from "./cumulative_rows.ts";
import { LIKELIHOOD_ROWS } from "./likelihood_rows.ts";
import { WINDOW_ROWS } from "./window_rows.ts";

/** One call of an operation. */
export interface Case {
  inputs: Tensor[];
  call: (...inputs: Tensor[]) => Tensor;
  /** The shape of the result and its value at a position. */
  shape: Shape;
  value: (position: readonly number[]) => number;
}

/** A row of the table. */
export interface Row {
  op: Op<never>;
  cases: fc.Arbitrary<Case>;
  /** Calls at the edge: empty tensors, rank 0; given as shape and values of the result. */
  edges: readonly { call: () => Tensor; expected: Tensor }[];
  /** Order of the gradient to check; 0 where no gradient passes, or another than the value's. */
  order: 0 | 1 | 2;
}

/** The value at a position. */
export function at(x: Tensor, position: readonly number[]): number {
  const strides = stridesOf(x.shape);
  return x.data[position.reduce((sum, p, i) => sum + p * strides[i]!, 0)]!;
}

const values = numbers([-3, 3]);

/** All different, so that extremes and orders are unique. */
function distinct(shape: Shape): fc.Arbitrary<Tensor> {
  const size = sizeOf(shape);
  return fc.shuffledSubarray(Array.from({ length: size }, (_, i) => i), {
    minLength: size,
    maxLength: size,
  }).map((order) => fromData(Float64Array.from(order, (v) => v / 2 - 1), shape));
}

const matrices = shapes.filter((s) => s.length > 0);
const f64 = (data: number[], shape: number[]) => tensor(data, { shape, dtype: "float64" });
const i32 = (data: number[], shape: number[] = [data.length]) =>
  tensor(data, { shape, dtype: "int32" });
const none = f64([], [0, 2]);

/** An array shape, values and one of its axes. */
const withAxis = (make: (shape: Shape) => fc.Arbitrary<Tensor>) =>
  matrices.chain((shape) => fc.tuple(make(shape), fc.nat({ max: shape.length - 1 })));

/** A reduction: its value from all values in the reduced axes. */
function reduction(
  call: (x: Tensor, options: { axis?: number[]; keepDims: boolean }) => Tensor,
  combine: (values: number[]) => number,
): fc.Arbitrary<Case> {
  return shapes.chain((shape) =>
    fc.tuple(distinct(shape), fc.subarray(shape.map((_, i) => i)), fc.boolean(), fc.boolean())
  ).map(([x, some, keepDims, all]) => {
    const axes = all ? x.shape.map((_, i) => i) : some;
    const shape = keepDims
      ? x.shape.map((n, i) => axes.includes(i) ? 1 : n)
      : x.shape.filter((_, i) => !axes.includes(i));
    return {
      inputs: [x],
      call: (y) => call(y, all ? { keepDims } : { axis: axes, keepDims }),
      shape,
      value(position) {
        const rest = [...position];
        const fixed = x.shape.map((_, i) =>
          axes.includes(i) ? (keepDims && rest.shift(), -1) : rest.shift()!
        );
        const found: number[] = [];
        const strides = stridesOf(x.shape);
        x.data.forEach((v: number, flat: number) => {
          const own = x.shape.map((n, i) => Math.floor(flat / strides[i]!) % n);
          if (own.every((p, i) => fixed[i] === -1 || fixed[i] === p)) found.push(v);
        });
        return combine(found);
      },
    };
  });
}

/** A search along one axis. */
function search(
  call: (x: Tensor, options: { axis: number }) => Tensor,
  combine: (values: number[]) => number,
): fc.Arbitrary<Case> {
  return withAxis(distinct).map(([x, axis]) => ({
    inputs: [x],
    call: (y) => call(y, { axis }),
    shape: x.shape.filter((_, i) => i !== axis),
    value: (position) =>
      combine(
        Array.from({ length: x.shape[axis]! }, (_, k) =>
          at(x, [...position.slice(0, axis), k, ...position.slice(axis)])),
      ),
  }));
}

const sumOf = (found: number[]) => found.reduce((a, b) => a + b, 0);

const identityCase = (call: (x: Tensor) => Tensor) =>
  shapes.chain((shape) => tensors(shape, values)).map((x): Case => ({
    inputs: [x],
    call,
    shape: x.shape,
    value: (position) => at(x, position),
  }));

const blocks = shapes.chain((shape) =>
  fc.tuple(
    tensors(shape, values),
    fc.tuple(...shape.map((n) => fc.tuple(fc.nat({ max: n }), fc.nat({ max: n })))),
  )
).map(([x, limits]) => ({
  x,
  start: limits.map(([a, b]) => Math.min(a, b)),
  end: limits.map(([a, b]) => Math.max(a, b)),
}));

/** Positions along an axis: as many as `count`. */
const positions = (extent: number, count: number) =>
  fc.array(fc.nat({ max: extent - 1 }), { minLength: count, maxLength: count });

/** The rows. */
export const ROWS: readonly Row[] = [
  {
    op: layout.castOp,
    order: 2,
    cases: identityCase((x) => layout.cast(layout.cast(x, "float64"), "float64")),
    edges: [{ call: () => layout.cast(i32([3], []), "float64"), expected: f64([3], []) }],
  },
  {
    op: layout.reshapeOp,
    order: 2,
    cases: shapes.chain((shape) => tensors(shape, values)).map((x) => ({
      inputs: [x],
      call: (y: Tensor) => layout.reshape(y, [1, -1]),
      shape: [1, x.size],
      value: (position: readonly number[]) => x.data[position[1]!]!,
    })),
    edges: [
      { call: () => layout.reshape(none, [2, 0, 3]), expected: f64([], [2, 0, 3]) },
      { call: () => layout.reshape(f64([5], [1, 1]), []), expected: f64([5], []) },
    ],
  },
  {
    op: layout.transposeOp,
    order: 2,
    cases: shapes.chain((shape) =>
      fc.tuple(
        tensors(shape, values),
        fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length }),
      )
    ).map(([x, axes]) => ({
      inputs: [x],
      call: (y: Tensor) => layout.transpose(y, axes),
      shape: axes.map((axis) => x.shape[axis]!),
      value: (position: readonly number[]) =>
        at(x, x.shape.map((_, axis) => position[axes.indexOf(axis)]!)),
    })),
    edges: [
      { call: () => layout.transpose(none), expected: f64([], [2, 0]) },
      { call: () => layout.transpose(f64([1], [])), expected: f64([1], []) },
    ],
  },
  {
    op: layout.broadcastToOp,
    order: 2,
    cases: shapes.chain((shape) => tensors(shape.map((n, i) => i % 2 ? 1 : n), values)).map((x) => {
      const shape = [2, ...x.shape.map((n) => n === 1 ? 3 : n)];
      return {
        inputs: [x],
        call: (y: Tensor) => layout.broadcastTo(y, shape),
        shape,
        value: (position: readonly number[]) =>
          at(x, x.shape.map((n, i) => n === 1 ? 0 : position[i + 1]!)),
      };
    }),
    edges: [
      { call: () => layout.broadcastTo(f64([1], []), [0, 2]), expected: none },
      { call: () => layout.broadcastTo(f64([7], []), [2]), expected: f64([7, 7], [2]) },
    ],
  },
  {
    op: join.concatOp,
    order: 2,
    cases: withAxis((shape) => tensors(shape, values)).chain(([x, axis]) =>
      fc.tuple(
        fc.constant(x),
        fc.constant(axis),
        tensors(x.shape.map((n, i) => i === axis ? n + 1 : n), values),
      )
    ).map(([x, axis, y]) => ({
      inputs: [x, y],
      call: (a: Tensor, b: Tensor) => join.concat([a, b, a], { axis }),
      shape: x.shape.map((n, i) => i === axis ? 3 * n + 1 : n),
      value(position: readonly number[]) {
        const n = x.shape[axis]!;
        const p = position[axis]!;
        const moved = (k: number) => position.map((q, i) => i === axis ? k : q);
        return p < n
          ? at(x, moved(p))
          : p < 2 * n + 1
          ? at(y, moved(p - n))
          : at(x, moved(p - 2 * n - 1));
      },
    })),
    edges: [
      { call: () => join.concat([none, none]), expected: none },
      { call: () => join.concat([none, f64([1, 2], [1, 2])]), expected: f64([1, 2], [1, 2]) },
    ],
  },
  {
    op: join.sliceOp,
    order: 2,
    cases: fc.oneof(
      fc.tuple(blocks, fc.integer({ min: 1, max: 3 })).map(([{ x, start, end }, step]) => ({
        inputs: [x],
        call: (y: Tensor) =>
          join.slice(y, start, end, { step: start.map((_, i) => 1 + step % (i + 2)) }),
        shape: start.map((s, i) => Math.ceil((end[i]! - s) / (1 + step % (i + 2)))),
        value: (position: readonly number[]) =>
          at(x, position.map((p, i) => p * (1 + step % (i + 2)) + start[i]!)),
      })),
      withAxis((shape) => tensors(shape, values)).map(([x, axis]) => ({
        inputs: [x],
        call: (y: Tensor) => join.turned(y, [axis]),
        shape: x.shape,
        value: (position: readonly number[]) =>
          at(x, position.map((p, i) => i === axis ? x.shape[i]! - 1 - p : p)),
      })),
      tensors([7, 5], values).map((x) => ({
        inputs: [x],
        call: (y: Tensor) =>
          apply(join.sliceOp, [y], { start: [6, 1], shape: [3, 2], step: [-2, 3] }),
        shape: [3, 2],
        value: ([i, j]: readonly number[]) => at(x, [6 - 2 * i!, 1 + 3 * j!]),
      })),
    ),
    edges: [
      { call: () => join.slice(f64([1, 2], [1, 2]), 1), expected: none },
      { call: () => join.slice(none, 0, 0, { step: 2 }), expected: none },
      { call: () => join.turned(none, [0, 1]), expected: none },
      { call: () => join.slice(f64([4], []), []), expected: f64([4], []) },
    ],
  },
  {
    op: join.padOp,
    order: 2,
    cases: shapes.chain((shape) => fc.tuple(tensors(shape, values), fc.boolean())).map(
      ([x, stepping]) => {
        const step = x.shape.map((_, i) => stepping ? i + 2 : 1);
        const shape = x.shape.map((n, i) => n * step[i]! + i + 1);
        const start = x.shape.map((_, i) => i);
        return {
          inputs: [x],
          call: (y: Tensor) => apply(join.padOp, [y], { start, shape, step }),
          shape,
          value(position: readonly number[]) {
            const own = position.map((p, i) => (p - start[i]!) / step[i]!);
            const isOwn = (p: number, i: number) =>
              p >= 0 && p < x.shape[i]! && Number.isInteger(p);
            return own.every(isOwn) ? at(x, own) : 0;
          },
        };
      },
    ),
    edges: [{
      call: () => apply(join.padOp, [none], { start: [1, 0], shape: [1, 2] }),
      expected: f64([0, 0], [1, 2]),
    }],
  },
  {
    op: reduce.sumOp,
    order: 2,
    cases: reduction(reduce.sum, sumOf),
    edges: [
      { call: () => reduce.sum(none, { axis: 0 }), expected: f64([0, 0], [2]) },
      { call: () => reduce.sum(f64([3], [])), expected: f64([3], []) },
    ],
  },
  {
    op: reduce.meanOp,
    order: 2,
    cases: reduction(reduce.mean, (found) => sumOf(found) / found.length),
    edges: [
      { call: () => reduce.mean(none, { axis: 0 }), expected: f64([NaN, NaN], [2]) },
      { call: () => reduce.mean(f64([3], [])), expected: f64([3], []) },
    ],
  },
  {
    op: reduce.normOp,
    order: 2,
    cases: reduction(moments.norm, (found) => Math.sqrt(sumOf(found.map((v) => v * v)))),
    edges: [
      { call: () => moments.norm(none, { axis: 0 }), expected: f64([0, 0], [2]) },
      { call: () => moments.norm(f64([-3], [])), expected: f64([3], []) },
    ],
  },
  {
    op: reduce.maxOp,
    order: 2,
    cases: reduction(reduce.max, (found) => Math.max(...found)),
    edges: [
      { call: () => reduce.max(none, { axis: 1 }), expected: f64([], [0]) },
      { call: () => reduce.max(f64([3], [])), expected: f64([3], []) },
      { call: () => reduce.max(f64([1, NaN, 2], [3])), expected: f64([NaN], []) },
    ],
  },
  {
    op: reduce.minOp,
    order: 2,
    cases: reduction(reduce.min, (found) => Math.min(...found)),
    edges: [
      { call: () => reduce.min(none, { axis: 1 }), expected: f64([], [0]) },
      { call: () => reduce.min(f64([NaN, 2], [2])), expected: f64([NaN], []) },
    ],
  },
  {
    op: argReduce.argMaxOp,
    order: 0,
    cases: search(argReduce.argMax, (found) => found.indexOf(Math.max(...found))),
    edges: [
      { call: () => argReduce.argMax(f64([2, 5, 5], [3])), expected: i32([1], []) },
      { call: () => argReduce.argMax(f64([2, NaN, 5, NaN], [4])), expected: i32([1], []) },
      { call: () => argReduce.argMax(none, { axis: 1 }), expected: i32([], [0]) },
      { call: () => argReduce.argMax(f64([1, 9, 2, 3], [2, 2])), expected: i32([1], []) },
    ],
  },
  {
    op: argReduce.argMinOp,
    order: 0,
    cases: search(argReduce.argMin, (found) => found.indexOf(Math.min(...found))),
    edges: [
      { call: () => argReduce.argMin(f64([5, 2, 2], [3])), expected: i32([1], []) },
      {
        call: () => argReduce.argMin(f64([5, 2], [1, 2]), { axis: 1, keepDims: true }),
        expected: i32([1], [1, 1]),
      },
    ],
  },
  {
    op: select.gatherOp,
    order: 2,
    cases: withAxis((shape) => tensors(shape, values)).chain(([x, axis]) =>
      fc.tuple(fc.constant(x), fc.constant(axis), positions(x.shape[axis]!, 4))
    ).map(([x, axis, picked]) => ({
      inputs: [x],
      call: (y: Tensor) => select.gather(y, i32(picked, [2, 2]), { axis }),
      shape: [...x.shape.slice(0, axis), 2, 2, ...x.shape.slice(axis + 1)],
      value: (p: readonly number[]) =>
        at(x, [...p.slice(0, axis), picked[2 * p[axis]! + p[axis + 1]!]!, ...p.slice(axis + 2)]),
    })),
    edges: [
      { call: () => select.gather(f64([1, 2], [1, 2]), i32([])), expected: none },
      { call: () => select.gather(f64([1, 2], [2]), i32([1], [])), expected: f64([2], []) },
    ],
  },
  {
    op: select.scatterAddOp,
    order: 2,
    cases: withAxis((shape) => tensors(shape, values)).chain(([x, axis]) =>
      fc.tuple(
        fc.constant(x),
        fc.constant(axis),
        positions(x.shape[axis]!, 4),
        tensors(x.shape.map((n, i) => i === axis ? 4 : n), values),
      )
    ).map(([x, axis, picked, updates]) => ({
      inputs: [x, updates],
      call: (a: Tensor, b: Tensor) => select.scatterAdd(a, i32(picked), b, { axis }),
      shape: x.shape,
      value: (p: readonly number[]) =>
        picked.reduce(
          (sum, to, k) =>
            to === p[axis] ? sum + at(updates, p.map((q, i) => i === axis ? k : q)) : sum,
          at(x, p),
        ),
    })),
    edges: [{
      call: () => select.scatterAdd(f64([1, 2], [1, 2]), i32([]), none),
      expected: f64([1, 2], [1, 2]),
    }],
  },
  {
    op: sparseProductOp,
    order: 2,
    cases: fc.tuple(tensors([5], values), tensors([3, 2], values), positions(4, 5), positions(3, 5))
      .map(([entries, dense, rows, columns]) => ({
        inputs: [entries, dense],
        call: (a: Tensor, w: Tensor) => apply(sparseProductOp, [a, i32(rows), i32(columns), w], 4),
        shape: [4, 2],
        value: ([row, k]: readonly number[]) =>
          rows.reduce(
            (sum, to, e) =>
              to === row ? sum + entries.data[e]! * at(dense, [columns[e]!, k!]) : sum,
            0,
          ),
      })),
    edges: [{
      call: () => apply(sparseProductOp, [f64([], [0]), i32([]), i32([]), f64([1, 2], [1, 2])], 1),
      expected: f64([0, 0], [1, 2]),
    }],
  },
  {
    op: segment.segmentMaxOp,
    order: 2,
    cases: withAxis(distinct).chain(([x, axis]) =>
      fc.tuple(fc.constant(x), fc.constant(axis), positions(3, x.shape[axis]!))
    ).map(([x, axis, numbers]) => {
      // Without empty segments, as infinities have no differences.
      const filled = numbers.map((to) => [...new Set(numbers)].sort().indexOf(to));
      const count = new Set(numbers).size;
      return {
        inputs: [x],
        call: (y: Tensor) => apply(segment.segmentMaxOp, [y, i32(filled)], { axis, count }),
        shape: x.shape.map((n, i) => i === axis ? count : n),
        value: (p: readonly number[]) =>
          Math.max(
            ...filled.flatMap((to, k) =>
              to === p[axis] ? [at(x, p.map((q, i) => i === axis ? k : q))] : []
            ),
          ),
      };
    }),
    edges: [
      {
        call: () => segment.segmentMax(none, i32([]), 1),
        expected: f64([-Infinity, -Infinity], [1, 2]),
      },
      { call: () => segment.segmentMax(f64([], [0]), i32([]), 0), expected: f64([], [0]) },
    ],
  },
  {
    op: select.takeAlongAxisOp,
    order: 2,
    cases: withAxis((shape) => tensors(shape, values)).chain(([x, axis]) => {
      const shape = x.shape.map((n, i) => i === axis ? 2 : n);
      return fc.tuple(
        fc.constant(x),
        fc.constant(axis),
        positions(x.shape[axis]!, sizeOf(shape)).map((p) => i32(p, shape)),
      );
    }).map(([x, axis, picked]) => ({
      inputs: [x],
      call: (y: Tensor) => select.takeAlongAxis(y, picked, { axis }),
      shape: picked.shape,
      value: (p: readonly number[]) => at(x, p.map((q, i) => i === axis ? at(picked, p) : q)),
    })),
    edges: [{ call: () => select.takeAlongAxis(none, i32([], [0, 1])), expected: f64([], [0, 1]) }],
  },
  {
    op: select.putAlongAxisOp,
    order: 2,
    cases: positions(3, 4).chain((picked) => fc.tuple(fc.constant(picked), tensors([2, 2], values)))
      .map(([picked, x]) => ({
        inputs: [x],
        call: (y: Tensor) =>
          apply(select.putAlongAxisOp, [y, i32(picked, [2, 2])], { axis: 1, shape: [2, 3] }),
        shape: [2, 3],
        value: ([i, j]: readonly number[]) =>
          [0, 1].reduce((sum, k) => picked[2 * i! + k] === j ? sum + at(x, [i!, k]) : sum, 0),
      })),
    edges: [{
      call: () => apply(select.putAlongAxisOp, [none, i32([], [0, 2])], { axis: 1, shape: [0, 3] }),
      expected: f64([], [0, 3]),
    }],
  },
  {
    op: sorting.argSortOp,
    order: 0,
    cases: fc.tuple(withAxis(distinct), fc.boolean()).map(([[x, axis], descending]) => ({
      inputs: [x],
      call: (y: Tensor) => sorting.argSort(y, { axis, descending }),
      shape: x.shape,
      value(p: readonly number[]) {
        const found = Array.from(
          { length: x.shape[axis]! },
          (_, k) => at(x, p.map((q, i) => i === axis ? k : q)),
        );
        const order = found.map((_, i) => i).sort((a, b) => found[a]! - found[b]!);
        return (descending ? order.reverse() : order)[p[axis]!]!;
      },
    })),
    edges: [
      { call: () => sorting.argSort(f64([2, NaN, 2, 1], [4])), expected: i32([3, 0, 2, 1]) },
      {
        call: () => sorting.argSort(f64([2, NaN, 2, 3], [4]), { descending: true }),
        expected: i32([3, 0, 2, 1]),
      },
      { call: () => sorting.argSort(none), expected: i32([], [0, 2]) },
    ],
  },
  {
    op: linalg.matmulOp,
    order: 2,
    cases: fc.tuple(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom<[number[], number[], number[]]>(
        [[], [], []],
        [[2], [2], [2]],
        [[2], [1], [2]],
        [[2, 1], [3], [2, 3]],
        [[], [2], [2]],
        [[2, 3], [], [2, 3]],
      ),
    ).chain(([m, k, n, [left, right, batch]]) =>
      fc.tuple(
        tensors([...left, m, k], values),
        tensors([...right, k, n], values),
        fc.constant([...batch, m, n]),
      )
    ).map(([a, b, shape]) => ({
      inputs: [a, b],
      call: linalg.matmul,
      shape,
      value(position: readonly number[]) {
        const [i, j] = position.slice(-2);
        const own = (x: Tensor) =>
          x.shape.slice(0, -2).map((n, d, all) =>
            n === 1 ? 0 : position[position.length - 2 - all.length + d]!
          );
        return sumOf(
          Array.from(
            { length: a.shape.at(-1)! },
            (_, k) => at(a, [...own(a), i!, k]) * at(b, [...own(b), k, j!]),
          ),
        );
      },
    })),
    edges: [
      { call: () => linalg.matmul(none, f64([], [2, 0])), expected: f64([], [0, 0]) },
      { call: () => linalg.matmul(f64([], [2, 0]), none), expected: f64([0, 0, 0, 0], [2, 2]) },
      { call: () => linalg.matmul(f64([1, 2], [2]), f64([3, 4], [2])), expected: f64([11], []) },
      {
        call: () => linalg.matmul(f64([], [2, 0, 1]), f64([1, 2], [1, 2])),
        expected: f64([], [2, 0, 2]),
      },
    ],
  },
  {
    op: linalg.pairwiseSquaredDistanceOp,
    order: 2,
    cases: fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: 1, max: 3 }),
    ).chain(([n, m, d]) => fc.tuple(tensors([n, d], values), tensors([m, d], values))).map(
      ([x, y]) => ({
        inputs: [x, y],
        call: (a: Tensor, b: Tensor) => linalg.pairwiseSquaredDistance(a, b),
        shape: [x.shape[0]!, y.shape[0]!],
        value: ([i, j]: readonly number[]) =>
          sumOf(
            Array.from({ length: x.shape[1]! }, (_, k) => (at(x, [i!, k]) - at(y, [j!, k])) ** 2),
          ),
      }),
    ),
    edges: [
      {
        call: () => linalg.pairwiseSquaredDistance(none, f64([1, 2], [1, 2])),
        expected: f64([], [0, 1]),
      },
      {
        call: () => linalg.pairwiseSquaredDistance(f64([], [1, 0]), f64([], [2, 0])),
        expected: f64([0, 0], [1, 2]),
      },
    ],
  },
  ...CUMULATIVE_ROWS,
  ...LIKELIHOOD_ROWS,
  ...WINDOW_ROWS,
  ...([
    [gradient.stopGradientOp, gradient.stopGradient],
    [gradient.gradientReversalOp, gradient.gradientReversal],
    [gradient.clipGradientOp, (x: Tensor) => gradient.clipGradient(x, -1, 1)],
    [gradient.debugGradientOp, (x: Tensor) => gradient.debugGradient(x, "here")],
  ] as const).map(([op, call]): Row => ({
    op,
    order: 0,
    cases: identityCase((x) => call(x)),
    edges: [{ call: () => call(none), expected: none }],
  })),
];
