/** Random graphs of operations. */
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { numbers, tensors } from "../ops/arbitraries.ts";

type Tensor = cg.Tensor;

/** Rows and columns of the matrices of a program. */
export type Extents = readonly [rows: number, columns: number];

/** A step that makes a matrix (or what broadcasts with one) of two earlier values, smooth and tame. */
type MakeStep = (a: Tensor, b: Tensor, full: (x: Tensor) => Tensor, extents: Extents) => Tensor;

const STEPS: MakeStep[] = [
  (a, b) => a.add(b),
  (a, b) => a.sub(b).tanh(),
  (a, b) => a.mul(b).sigmoid(),
  (a, b) => a.div(b.square().add(1)),
  (a, b) => cg.maximum(a, b),
  (a, b) => cg.where(a.less(b), a.sin(), b.cos()),
  (a) => a.tanh().exp(),
  (a) => cg.softplus(a),
  (a) => a.clip(-1, 1),
  (a) => a.abs().add(1).log(),
  (a) => a.sum({ axis: -1, keepDims: true }).tanh(),
  (a) => a.mean({ axis: 0, keepDims: true }),
  (a) => a.max({ axis: -1, keepDims: true }),
  (a) => a.sum({ keepDims: true }).tanh(),
  (a) => cg.softmax(a),
  (a) => cg.logSumExp(a, { axis: -1, keepDims: true }).tanh(),
  (a, _b, full) => full(a).transpose().matmul(full(a)).slice(0, 1).tanh(),
  (a, b, full, [rows]) => full(a).matmul(full(b).transpose()).slice([0, 0], [rows, 1]).tanh(),
  (a, _b, full, [rows]) =>
    full(a).gather(Array.from({ length: rows }, (_, i) => (i * 5 + 2) % rows)).mul(0.5),
  (a, _b, full, [rows, columns]) => full(a).reshape([columns, rows]).transpose(),
  (a) => cg.stopGradient(a).mul(a),
  (a, b, full, [rows]) => cg.concat([full(a), full(b)]).slice(1, rows + 1),
  (a, _b, full) => cg.layerNorm(full(a), { epsilon: 1 }),
  (a, b, full) =>
    cg.cumsum(full(a), { axis: 0 }).tanh().add(cg.cumLogSumExp(full(b), { reverse: true }).tanh()),
  (a, b, full, [rows]) =>
    cg.einsum("ij,kj->ki", full(a), full(b)).slice([0, 0], [rows, 1]).div(10).tanh(),
  (a, _b, full, [rows]) =>
    cg.pairwiseSquaredDistance(full(a)).slice([0, 0], [rows, 1]).div(10).tanh(),
];

/** Steps on matrices that are turned, cut, joined, repeated and put into other shapes. */
const VIEWS: MakeStep[] = [
  (a, b, full) => full(a).transpose().tanh().add(full(b).transpose()).transpose(),
  (a, b, full) => cg.softmax(full(a).transpose()).transpose().mul(b),
  (a, _b, full) => full(a).transpose().mean({ axis: 0, keepDims: true }).transpose(),
  (a, _b, full) => full(a).transpose().max({ axis: 1 }).sin(),
  (a, b, full) => full(a).transpose().tanh().square().mean({ keepDims: true }).mul(b),
  (a, b, full) =>
    full(a).sub(full(b).mean({ axis: 1, keepDims: true })).square().mean({ keepDims: true }).tanh(),
  (a, _b, full, [rows, columns]) =>
    full(a).slice([0, 1], [rows, columns - 1]).sum({ axis: 1 })
      .reshape([rows, 1]).tanh(),
  (a, b, full, [rows]) =>
    full(a).slice([1, 0]).mul(full(b).slice([0, 0], [rows - 1])).mean({ axis: 0 }).tanh(),
  (a, b, full, [rows, columns]) =>
    cg.concat([full(a).slice([0, 1]).sin(), full(b).slice([0, 0], [rows, 1])], { axis: 1 })
      .reshape([rows * columns]).slice(1).mean({ keepDims: true }).tanh(),
  (a, b, full) =>
    full(a).expandDims(0).mul(full(b).expandDims(1)).tanh().transpose([1, 2, 0]).mean({ axis: -1 }),
  (a, b, full, [rows, columns]) =>
    cg.broadcastTo(full(a).reshape([rows, 1, columns]), [rows, 2, columns]).transpose([2, 0, 1])
      .mul(full(b).transpose().expandDims(2)).mean({ axis: [1, 2] }).tanh(),
  (a, _b, full, [rows, columns]) =>
    full(a).transpose().reshape([rows, columns]).tanh().slice([0, columns - 1]),
  (a, b, full) => full(a).transpose().matmul(full(b).cos()).div(10).tanh().slice([0], [1]),
  (a, b, full) => cg.flip(full(a)).sin().mul(full(b)),
  (a, _b, full) => cg.flip(full(a), { axis: 0 }).mean({ axis: 1, keepDims: true }).tanh(),
  (a, b, full, extents) =>
    full(a).slice([0, 0], extents, { step: [2, 3] }).tanh()
      .mul(cg.flip(full(b)).slice([0, 0], extents, { step: [2, 3] })).mean({ keepDims: true }),
  (a, _b, full) => cg.roll(full(a), 1, { axis: 0 }).tanh(),
  (a, b, full, [rows, columns]) =>
    cg.pad(full(a).slice(1), [[1, 0], [1, 0]], { mode: "reflect" })
      .slice([0, 1]).reshape([rows, columns]).mul(full(b)).tanh(),
  (a, _b, full) => full(a).mul(cg.tril(full(a), { diagonal: 1 })).tanh(),
  (a, _b, full, [rows]) =>
    cg.segmentMax(full(a).tanh(), Array.from({ length: rows }, (_, i) => i % 3 % 2), 2)
      .mean({ axis: 0, keepDims: true }),
];

const ALL = [...STEPS, ...VIEWS];

/** Steps and where they take their operands from. */
export const programs: fc.Arbitrary<Instructions> = fc.array(
  fc.tuple(fc.nat({ max: ALL.length - 1 }), fc.nat({ max: 99 }), fc.nat({ max: 99 })),
  { minLength: 1, maxLength: 14 },
);

/** What programs on matrices of some extents are given. */
export function inputsOf([rows, columns]: Extents): fc.Arbitrary<Tensor[]> {
  return fc.tuple(
    tensors([rows, columns], numbers([-2, 2])),
    tensors([columns], numbers([-2, 2])),
    tensors([rows, 1], numbers([-2, 2])),
  );
}

const FEW: Extents = [3, 4];

/** What programs are given. */
export const inputs: fc.Arbitrary<Tensor[]> = inputsOf(FEW);

/** Steps and where they take their operands from. */
export type Instructions = [number, number, number][];

/** The program of instructions: a number made of the inputs. */
export function build(
  instructions: Instructions,
  extents: Extents = FEW,
): (...given: Tensor[]) => Tensor {
  const full = (x: Tensor) => cg.broadcastTo(x, extents);
  return (...given: Tensor[]) => {
    const values = [...given];
    for (const [step, i, j] of instructions) {
      // The newest values are taken most often, so that programs are deep.
      const pick = (k: number) => values[values.length - 1 - k % Math.min(values.length, 5)]!;
      values.push(ALL[step]!(pick(i), pick(j), full, extents));
    }
    return values.slice(given.length).map((y) => y.sum()).reduce((a, b) => a.add(b));
  };
}
