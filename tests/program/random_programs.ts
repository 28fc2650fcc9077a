/** Random graphs of operations. */
import fc from "fast-check";
import * as cg from "../../mod.ts";
import { numbers, tensors } from "../ops/arbitraries.ts";

type Tensor = cg.Tensor;

/** Steps that make a matrix (or what broadcasts with one) of two earlier values, smooth and tame. */
const STEPS: ((a: Tensor, b: Tensor) => Tensor)[] = [
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
  (a) => cg.broadcastTo(a, [3, 4]).transpose().matmul(cg.broadcastTo(a, [3, 4])).slice(0, 3).tanh(),
  (a, b) =>
    cg.broadcastTo(a, [3, 4]).matmul(cg.broadcastTo(b, [3, 4]).transpose()).slice([0, 0], [3, 1]),
  (a) => cg.broadcastTo(a, [3, 4]).gather([2, 0, 2]).mul(0.5),
  (a) => cg.broadcastTo(a, [3, 4]).reshape([4, 3]).transpose(),
  (a) => cg.stopGradient(a).mul(a),
  (a, b) => cg.concat([cg.broadcastTo(a, [3, 4]), cg.broadcastTo(b, [3, 4])]).slice(1, 4),
  (a) => cg.layerNorm(cg.broadcastTo(a, [3, 4]), { epsilon: 1 }),
  (a) => cg.pairwiseSquaredDistance(cg.broadcastTo(a, [3, 4])).slice([0, 0], [3, 1]).tanh(),
];

/** Steps and where they take their operands from. */
export const programs: fc.Arbitrary<Instructions> = fc.array(
  fc.tuple(fc.nat({ max: STEPS.length - 1 }), fc.nat({ max: 99 }), fc.nat({ max: 99 })),
  { minLength: 1, maxLength: 14 },
);

/** What programs are given. */
export const inputs: fc.Arbitrary<Tensor[]> = fc.tuple(
  tensors([3, 4], numbers([-2, 2])),
  tensors([4], numbers([-2, 2])),
  tensors([3, 1], numbers([-2, 2])),
);

/** Steps and where they take their operands from. */
export type Instructions = [number, number, number][];

/** The program of instructions: a number made of the inputs. */
export function build(instructions: Instructions): (...given: Tensor[]) => Tensor {
  return (...given: Tensor[]) => {
    const values = [...given];
    for (const [step, i, j] of instructions) {
      // The newest values are taken most often, so that programs are deep.
      const pick = (k: number) => values[values.length - 1 - k % Math.min(values.length, 5)]!;
      values.push(STEPS[step]!(pick(i), pick(j)));
    }
    return values.slice(given.length).map((y) => y.sum()).reduce((a, b) => a.add(b));
  };
}
